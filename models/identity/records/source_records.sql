{{ config(materialized='view') }}
-- Longer than 120 lines because each of the six kinds of records has a select of its own.
{% set recency = recency_key('ordered_at', 'order_id') %}
-- Of several values the last counts.
with guest_orders as (
    select
        'guest_checkout' as record_type,
        guest_id as record_id,
        email,
        phone,
        {{ value_at_max('first_name', recency, is_unique=true) }} as first_name,
        {{ value_at_max('last_name', recency, is_unique=true) }} as last_name,
        {{ value_at_max('country_code', recency, is_unique=true) }} as country_code,
        min(ordered_at) as first_seen_at,
        max(updated_at) as updated_at
    from {{ ref('order_records') }}
    where guest_id is not null
    group by guest_id, email, phone
),

-- An order may name a shop account that the shop's export lacks. Then its orders are the only source. These accounts are few
-- and found first, so that the names on all other orders need no cleaning.
unlisted_account_ids as (
    select shop_customer_id from {{ ref('order_records') }} where shop_customer_id is not null
    {{ dbt.except() }}
    select shop_customer_id from {{ ref('stg_shop__customers') }}
),

unlisted_accounts as (
    select
        'shop_customer' as record_type,
        orders.shop_customer_id as record_id,
        orders.shop_customer_id,
        {{ value_at_max('orders.email', recency, is_unique=true) }} as email,
        {{ value_at_max('orders.phone', recency, is_unique=true) }} as phone,
        {{ value_at_max('orders.first_name', recency, is_unique=true) }} as first_name,
        {{ value_at_max('orders.last_name', recency, is_unique=true) }} as last_name,
        {{ value_at_max('orders.country_code', recency, is_unique=true) }} as country_code,
        min(orders.ordered_at) as first_seen_at,
        max(orders.updated_at) as updated_at
    from {{ ref('order_records') }} as orders
    inner join unlisted_account_ids on orders.shop_customer_id = unlisted_account_ids.shop_customer_id
    group by orders.shop_customer_id
),

-- An account without a date is as old as its first order.
undated_accounts as (
    select
        accounts.shop_customer_id,
        min(orders.ordered_at) as first_ordered_at
    from {{ ref('stg_shop__customers') }} as accounts
    inner join {{ ref('order_records') }} as orders on accounts.shop_customer_id = orders.shop_customer_id
    where accounts.created_at is null
    group by accounts.shop_customer_id
),

accounts as (
    select
        accounts.*,
        'shop_customer' as record_type,
        accounts.shop_customer_id as record_id,
        coalesce(accounts.created_at, undated_accounts.first_ordered_at) as first_seen_at
    from {{ ref('stg_shop__customers') }} as accounts
    left join undated_accounts on accounts.shop_customer_id = undated_accounts.shop_customer_id
),

contacts as (
    select
        *,
        'crm_contact' as record_type,
        contact_id as record_id,
        created_at as first_seen_at
    from {{ ref('stg_crm__contacts') }}
),

profiles as (
    select
        *,
        'esp_profile' as record_type,
        profile_id as record_id,
        created_at as first_seen_at
    from {{ ref('stg_esp__profiles') }}
),

requesters as (
    select
        requester_id as record_id,
        shop_customer_id,
        email,
        phone,
        {{ value_at_max('requester_name', recency_key('created_at', 'ticket_id'), is_unique=true) }} as requester_name,
        min(created_at) as first_seen_at,
        max(updated_at) as updated_at
    from {{ ref('stg_support__tickets') }}
    group by requester_id, shop_customer_id, email, phone
),

named_requesters as (
    select
        *,
        'support_requester' as record_type,
        case
            when requester_name like '%,%' then nullif(trim({{ dbt.split_part('requester_name', "','", 2) }}), '')
            else {{ dbt.split_part('requester_name', "' '", 1) }}
        end as first_name,
        case
            when requester_name like '%,%' then nullif(trim({{ dbt.split_part('requester_name', "','", 1) }}), '')
            when requester_name like '% %' then trim(substr(requester_name, length({{ dbt.split_part('requester_name', "' '", 1) }}) + 2))
        end as last_name
    from requesters
)

{% set address = ['street', 'postal_code', 'city'] %}
{% set profile_fields = ['birth_date', 'language_code', 'time_zone', 'acquisition_channel'] %}
{{ union_by_name(
    {
        'accounts': ['time_zone'],
        'contacts': ['shop_customer_id', 'acquisition_channel'],
        'profiles': ['acquisition_channel'] + address,
        'guest_orders': ['shop_customer_id'] + address + profile_fields,
        'unlisted_accounts': address + profile_fields,
        'named_requesters': ['country_code'] + address + profile_fields
    },
    columns=[
        'record_type', 'record_id', 'shop_customer_id', 'email', 'phone', 'first_name', 'last_name', 'birth_date', 'country_code',
        'first_seen_at', 'street', 'postal_code', 'city', 'language_code', 'time_zone', 'acquisition_channel', 'updated_at'
    ],
    types={'birth_date': 'date'}
) }}
