-- Identifiers that erasure requests and legal holds name, normalised as identity does.
with own_country as (
    {{ default_country_codes() }}
),

requests as (
    select
        request_id,
        email,
        phone,
        shop_customer_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status <> 'refused' and not may_be_refused
),

-- A hold counts as soon as it is entered, whatever day the build is as of, because an erasure cannot be undone.
holds as (
    select
        identifier_type || '/' || identifier as hold_id,
        identifier_type,
        identifier
    from {{ ref('legal_holds') }}
    where held_until is null or held_until > {{ as_of() }}
),

named_identifiers as (
    select
        'erasure request' as named_by,
        request_id as named_by_id,
        'email' as identifier_type,
        email as identifier
    from requests
    where email is not null
    union all
    select
        'erasure request' as named_by,
        request_id as named_by_id,
        'phone' as identifier_type,
        phone as identifier
    from requests
    where phone is not null
    union all
    select
        'erasure request' as named_by,
        request_id as named_by_id,
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier
    from requests
    where shop_customer_id is not null
    union all
    select
        'legal hold' as named_by,
        hold_id as named_by_id,
        identifier_type,
        identifier
    from holds
),

split_identifiers as (
    select
        *,
        case when identifier_type = 'phone' then {{ dialled_phone('identifier') }} end as dialled,
        case when identifier_type = 'email' then {{ dbt.split_part('identifier', "'@'", 2) }} end as email_domain
    from named_identifiers
),

normalised_identifiers as (
    select
        split_identifiers.named_by,
        split_identifiers.named_by_id,
        split_identifiers.identifier_type,
        split_identifiers.identifier as identifier_as_given,
        case split_identifiers.identifier_type
            when 'email' then {{ mailbox_of('split_identifiers.identifier', 'domains') }}
            when 'phone' then {{ e164('split_identifiers.dialled', 'own_country.calling_code', 'own_country.trunk_prefix') }}
            else split_identifiers.identifier
        end as identifier,
        case when split_identifiers.identifier_type = 'email' then {{ widest_mailbox('split_identifiers.identifier', 'domains') }} end as widest_mailbox
    from split_identifiers
    left join {{ ref('mailbox_domains') }} as domains on split_identifiers.email_domain = domains.email_domain
    cross join own_country
)

-- A request by a shared identifier leads to none of the customers who have it.
select
    normalised_identifiers.named_by,
    normalised_identifiers.named_by_id,
    normalised_identifiers.identifier_type,
    normalised_identifiers.identifier_as_given,
    normalised_identifiers.identifier,
    normalised_identifiers.widest_mailbox,
    case when impersonal.identifier is null then normalised_identifiers.identifier end as person_identifier
from normalised_identifiers
left join {{ ref('impersonal_identifiers') }} as impersonal
    on
        normalised_identifiers.named_by = 'erasure request'
        and normalised_identifiers.identifier_type = impersonal.identifier_type
        and coalesce(normalised_identifiers.widest_mailbox, normalised_identifiers.identifier) = impersonal.identifier
