-- Every shop account, contact, profile, requester and guest that staging kept is a record of identity, except those with shared
-- identifiers only.
with staged_persons as (
    select
        'shop_customer:' || shop_customer_id as record_key,
        shop_customer_id,
        cast(null as {{ dbt.type_string() }}) as email
    from {{ ref('stg_shop__customers') }}
    union all
    select
        'crm_contact:' || contact_id as record_key,
        contact_id as shop_customer_id,
        email
    from {{ ref('stg_crm__contacts') }}
    union all
    select
        'esp_profile:' || profile_id as record_key,
        shop_customer_id,
        email
    from {{ ref('stg_esp__profiles') }}
    union all
    select
        'support_requester:' || requester_id as record_key,
        shop_customer_id,
        email
    from {{ ref('stg_support__tickets') }}
    union all
    select
        'guest_checkout:' || guest_id as record_key,
        cast(null as {{ dbt.type_string() }}) as shop_customer_id,
        email
    from {{ ref('order_records') }}
    where guest_id is not null and phone is null
),

shared_identifiers as (
    select * from {{ ref('impersonal_identifiers') }}
)

select staged_persons.record_key
from {{ with_mailboxes('staged_persons') }} as staged_persons
left join {{ ref('identity_records') }} as records on staged_persons.record_key = records.record_key
left join shared_identifiers as accounts
    on accounts.identifier_type = 'shop_customer_id' and staged_persons.shop_customer_id = accounts.identifier
left join shared_identifiers as mailboxes
    on mailboxes.identifier_type = 'email' and staged_persons.widest_mailbox = mailboxes.identifier
where
    records.record_key is null
    and (
        (staged_persons.shop_customer_id is not null and accounts.identifier is null)
        or (staged_persons.email is not null and mailboxes.identifier is null)
    )
