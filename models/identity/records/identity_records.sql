-- One shape for every record of a person, from any system.
{% set recency = recency_key('ordered_at', 'order_id') %}
-- Of several values the last counts.
with guest_orders as (
    select
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

records as (
    select
        'shop_customer' as record_type,
        accounts.shop_customer_id as record_id,
        accounts.shop_customer_id,
        accounts.email,
        accounts.phone,
        accounts.first_name,
        accounts.last_name,
        accounts.birth_date,
        accounts.country_code,
        coalesce(accounts.created_at, undated_accounts.first_ordered_at) as first_seen_at,
        accounts.street,
        accounts.postal_code,
        accounts.city,
        accounts.language_code,
        cast(null as {{ dbt.type_string() }}) as time_zone,
        accounts.acquisition_channel,
        accounts.updated_at
    from {{ ref('stg_shop__customers') }} as accounts
    left join undated_accounts on accounts.shop_customer_id = undated_accounts.shop_customer_id
    union all
    select
        'crm_contact' as record_type,
        contact_id as record_id,
        cast(null as {{ dbt.type_string() }}) as shop_customer_id,
        email,
        phone,
        first_name,
        last_name,
        birth_date,
        country_code,
        created_at as first_seen_at,
        street,
        postal_code,
        city,
        language_code,
        time_zone,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        updated_at
    from {{ ref('stg_crm__contacts') }}
    union all
    select
        'esp_profile' as record_type,
        profile_id as record_id,
        shop_customer_id,
        email,
        phone,
        first_name,
        last_name,
        birth_date,
        country_code,
        created_at as first_seen_at,
        cast(null as {{ dbt.type_string() }}) as street,
        cast(null as {{ dbt.type_string() }}) as postal_code,
        cast(null as {{ dbt.type_string() }}) as city,
        language_code,
        time_zone,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        updated_at
    from {{ ref('stg_esp__profiles') }}
    union all
    select
        'guest_checkout' as record_type,
        record_id,
        cast(null as {{ dbt.type_string() }}) as shop_customer_id,
        email,
        phone,
        first_name,
        last_name,
        cast(null as date) as birth_date,
        country_code,
        first_seen_at,
        cast(null as {{ dbt.type_string() }}) as street,
        cast(null as {{ dbt.type_string() }}) as postal_code,
        cast(null as {{ dbt.type_string() }}) as city,
        cast(null as {{ dbt.type_string() }}) as language_code,
        cast(null as {{ dbt.type_string() }}) as time_zone,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        updated_at
    from guest_orders
    union all
    select
        'shop_customer' as record_type,
        shop_customer_id as record_id,
        shop_customer_id,
        email,
        phone,
        first_name,
        last_name,
        cast(null as date) as birth_date,
        country_code,
        first_seen_at,
        cast(null as {{ dbt.type_string() }}) as street,
        cast(null as {{ dbt.type_string() }}) as postal_code,
        cast(null as {{ dbt.type_string() }}) as city,
        cast(null as {{ dbt.type_string() }}) as language_code,
        cast(null as {{ dbt.type_string() }}) as time_zone,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        updated_at
    from unlisted_accounts
    union all
    select
        'support_requester' as record_type,
        record_id,
        shop_customer_id,
        email,
        phone,
        case
            when requester_name like '%,%' then nullif(trim({{ dbt.split_part('requester_name', "','", 2) }}), '')
            else {{ dbt.split_part('requester_name', "' '", 1) }}
        end as first_name,
        case
            when requester_name like '%,%' then nullif(trim({{ dbt.split_part('requester_name', "','", 1) }}), '')
            when requester_name like '% %' then trim(substr(requester_name, length({{ dbt.split_part('requester_name', "' '", 1) }}) + 2))
        end as last_name,
        cast(null as date) as birth_date,
        cast(null as {{ dbt.type_string() }}) as country_code,
        first_seen_at,
        cast(null as {{ dbt.type_string() }}) as street,
        cast(null as {{ dbt.type_string() }}) as postal_code,
        cast(null as {{ dbt.type_string() }}) as city,
        cast(null as {{ dbt.type_string() }}) as language_code,
        cast(null as {{ dbt.type_string() }}) as time_zone,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        updated_at
    from requesters
),

records_with_dialled_phone as (
    select
        records.*,
        records.phone as phone_as_given,
        {{ dialled_phone('records.phone') }} as dialled,
        countries.calling_code,
        coalesce(countries.trunk_prefix, '') as trunk_prefix
    from {{ with_mailboxes('records') }} as records
    left join {{ ref('countries') }} as countries
        on coalesce(records.country_code, '{{ var("default_country") }}') = countries.country_code
),

records_with_phone as (
    select
        *,
        {{ e164('dialled', 'calling_code', 'trunk_prefix') }} as whole_number
    from records_with_dialled_phone
),

shared_identifiers as (
    select * from {{ ref('impersonal_identifiers') }}
),

-- Shared identifiers are removed from a record.
records_with_flags as (
    select
        records_with_phone.*,
        emails.why as why_no_email,
        accounts.identifier is not null as has_impersonal_account,
        coalesce(
            phones.identifier is not null or {{ matches_pattern('records_with_phone.whole_number', placeholder_phone()) | trim }}
            or {{ matches_pattern('records_with_phone.dialled', placeholder_phone()) | trim }},
            false
        ) as has_impersonal_phone
    from records_with_phone
    left join shared_identifiers as emails
        on emails.identifier_type = 'email' and records_with_phone.widest_mailbox = emails.identifier
    left join shared_identifiers as phones
        on
            phones.identifier_type = 'phone'
            and coalesce(records_with_phone.whole_number, records_with_phone.phone_as_given) = phones.identifier
    left join shared_identifiers as accounts
        on accounts.identifier_type = 'shop_customer_id' and records_with_phone.shop_customer_id = accounts.identifier
)

select
    record_type || ':' || record_id as record_key,
    record_type,
    record_id,
    case when not has_impersonal_account then shop_customer_id end as shop_customer_id,
    case when why_no_email is null then email end as email,
    mailbox,
    widest_mailbox,
    why_no_email,
    whole_number as phone,
    phone_as_given,
    first_name,
    last_name,
    birth_date,
    street,
    postal_code,
    city,
    country_code,
    language_code,
    time_zone,
    acquisition_channel,
    first_seen_at,
    updated_at
from records_with_flags
-- A shared account is not a record of a person. Neither is a guest, profile or requester with shared identifiers only.
where
    not (record_type = 'shop_customer' and has_impersonal_account)
    and not (
        record_type in ('guest_checkout', 'esp_profile', 'support_requester')
        and (why_no_email is not null or has_impersonal_phone)
        and (email is null or why_no_email is not null)
        and (phone_as_given is null or has_impersonal_phone)
        and (shop_customer_id is null or has_impersonal_account)
    )
