-- Every record of a person, with its identifiers in one form. Shared identifiers are removed.
with records_with_dialled_phone as (
    select
        records.*,
        records.phone as phone_as_given,
        {{ dialled_phone('records.phone') }} as dialled,
        countries.calling_code,
        coalesce(countries.trunk_prefix, '') as trunk_prefix
    from {{ with_mailboxes(ref('source_records')) }} as records
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
