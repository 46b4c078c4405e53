-- Every shop account, contact, profile, requester and guest that staging kept is a record of identity, but those whose every
-- identifier is no person's.
with staged as (
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

impersonal as (
    select * from {{ ref('impersonal_identifiers') }}
)

select staged.record_key
from {{ with_mailboxes('staged') }} as staged
left join {{ ref('identity_records') }} as records on staged.record_key = records.record_key
left join impersonal as accounts
    on accounts.identifier_type = 'shop_customer_id' and staged.shop_customer_id = accounts.identifier
left join impersonal as mailboxes
    on mailboxes.identifier_type = 'email' and staged.widest_mailbox = mailboxes.identifier
where
    records.record_key is null
    and (
        (staged.shop_customer_id is not null and accounts.identifier is null)
        or (staged.email is not null and mailboxes.identifier is null)
    )
