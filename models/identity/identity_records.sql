-- One shape for every record that describes a person, whatever system it comes from.
with guest_orders as (
    select
        guest_id as record_id,
        email,
        phone,
        max(first_name) as first_name,
        max(last_name) as last_name,
        max(country_code) as country_code,
        min(ordered_at) as first_seen_at,
        max(updated_at) as updated_at
    from {{ ref('stg_shop__orders') }}
    where guest_id is not null
    group by guest_id, email, phone
),

-- An order may name a shop account that the shop did not hand over: the order is what is known of it. They are few, so
-- they are found first: the names on all the other orders need not be cleaned.
unlisted as (
    select shop_customer_id from {{ ref('stg_shop__orders') }} where shop_customer_id is not null
    {{ dbt.except() }}
    select shop_customer_id from {{ ref('stg_shop__customers') }}
),

unlisted_accounts as (
    select
        orders.shop_customer_id,
        max(orders.email) as email,
        max(orders.phone) as phone,
        max(orders.first_name) as first_name,
        max(orders.last_name) as last_name,
        max(orders.country_code) as country_code,
        min(orders.ordered_at) as first_seen_at,
        max(orders.updated_at) as updated_at
    from {{ ref('stg_shop__orders') }} as orders
    inner join unlisted on orders.shop_customer_id = unlisted.shop_customer_id
    group by orders.shop_customer_id
),

requesters as (
    select
        requester_id as record_id,
        shop_customer_id,
        email,
        phone,
        max(requester_name) as requester_name,
        min(created_at) as first_seen_at,
        max(updated_at) as updated_at
    from {{ ref('stg_support__tickets') }}
    group by requester_id, shop_customer_id, email, phone
),

records as (
    select
        'shop_customer' as record_type,
        shop_customer_id as record_id,
        shop_customer_id,
        email,
        phone,
        first_name,
        last_name,
        country_code,
        created_at as first_seen_at,
        street,
        postal_code,
        city,
        language_code,
        cast(null as {{ dbt.type_string() }}) as time_zone,
        acquisition_channel,
        updated_at
    from {{ ref('stg_shop__customers') }}
    union all
    select
        'crm_contact' as record_type,
        contact_id as record_id,
        cast(null as {{ dbt.type_string() }}) as shop_customer_id,
        email,
        phone,
        first_name,
        last_name,
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
        {{ dbt.split_part('requester_name', "' '", 1) }} as first_name,
        cast(null as {{ dbt.type_string() }}) as last_name,
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

dialled as (
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

-- What is typed to get past a form is no person's address: a record that has no other has none.
blocked as (
    select
        identifiers.widest_mailbox,
        'blocked' || coalesce(': ' || min(identifiers.why), '') as why
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifiers.identifier_type = 'email'
    group by identifiers.widest_mailbox
)

select
    dialled.record_type || ':' || dialled.record_id as record_key,
    dialled.record_type,
    dialled.record_id,
    dialled.shop_customer_id,
    case when blocked.widest_mailbox is null then dialled.email end as email,
    dialled.mailbox,
    dialled.widest_mailbox,
    blocked.why as why_no_email,
    {{ e164('dialled.dialled', 'dialled.calling_code', 'dialled.trunk_prefix') }} as phone,
    dialled.phone_as_given,
    dialled.first_name,
    dialled.last_name,
    dialled.street,
    dialled.postal_code,
    dialled.city,
    dialled.country_code,
    dialled.language_code,
    dialled.time_zone,
    dialled.acquisition_channel,
    dialled.first_seen_at,
    dialled.updated_at
from dialled
left join blocked on dialled.widest_mailbox = blocked.widest_mailbox
