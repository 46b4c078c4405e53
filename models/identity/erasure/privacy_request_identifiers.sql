-- What erasure requests and legal holds name, normalised as identity does.
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

-- A hold counts from the day it is entered, whatever day the build is as of: an erasure can't be undone.
holds as (
    select
        identifier_type || '/' || identifier as hold_id,
        identifier_type,
        identifier
    from {{ ref('legal_holds') }}
    where held_until is null or held_until > {{ as_of() }}
),

named as (
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

split as (
    select
        *,
        case when identifier_type = 'phone' then {{ dialled_phone('identifier') }} end as dialled,
        case when identifier_type = 'email' then {{ dbt.split_part('identifier', "'@'", 2) }} end as email_domain
    from named
),

normalised as (
    select
        split.named_by,
        split.named_by_id,
        split.identifier_type,
        split.identifier as identifier_as_given,
        case split.identifier_type
            when 'email' then {{ mailbox_of('split.identifier', 'domains') }}
            when 'phone' then {{ e164('split.dialled', 'own_country.calling_code', 'own_country.trunk_prefix') }}
            else split.identifier
        end as identifier,
        case when split.identifier_type = 'email' then {{ widest_mailbox('split.identifier', 'domains') }} end as widest_mailbox
    from split
    left join {{ ref('mailbox_domains') }} as domains on split.email_domain = domains.email_domain
    cross join own_country
)

-- Who asks by what is no person's is none of those who have it.
select
    normalised.named_by,
    normalised.named_by_id,
    normalised.identifier_type,
    normalised.identifier_as_given,
    normalised.identifier,
    normalised.widest_mailbox,
    case when impersonal.identifier is null then normalised.identifier end as person_identifier
from normalised
left join {{ ref('impersonal_identifiers') }} as impersonal
    on
        normalised.named_by = 'erasure request'
        and normalised.identifier_type = impersonal.identifier_type
        and coalesce(normalised.widest_mailbox, normalised.identifier) = impersonal.identifier
