-- The ledger without refused erasures and without erased persons. An opt-in that names an erased person is gone. Of an opt-out
-- only what concerns other customers with the same address, phone or device is left.
-- Longer than 120 lines because seven identifiers of an event are hashed and compared with those of erased persons in one
-- pass.
{% set identifiers = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id', 'email_then'] %}
with refused_erasures as (
    select {{ row_of('request_id') }} as row_of
    from {{ ref('base_privacy__requests') }}
    where request_id is not null
    group by request_id
    having min(case when lower(trim(request_type)) = 'erasure' and lower(trim(status)) = 'refused' then 1 else 0 end) = 1
),

-- A refused erasure stops nothing (GDPR art. 17(3)). An objection cannot be refused (art. 21(3)).
ledger as (
    select ledger.*
    from {{ ref('consent_ledger') }} as ledger
    left join refused_erasures
        on
            ledger.source_system = 'privacy desk'
            and ledger.form = 'erasure'
            and {{ row_of('ledger.source_key') }} = refused_erasures.row_of
    where refused_erasures.row_of is null
),

named_identifiers as (
    {% for identifier in identifiers -%}
    select distinct
        '{{ identifier }}' as identifier_type,
        {{ identifier }} as identifier,
        {{ identifier if identifier.startswith('email') else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as email
    from ledger
    where {{ identifier }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- A placeholder address belongs to no person, so no erasure applies to it.
blocked_mailboxes as (
    select distinct widest_mailbox
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifier_type = 'email'
),

hashed_identifiers as (
    select
        named_identifiers.identifier_type,
        named_identifiers.identifier,
        coalesce(named_identifiers.widest_mailbox, named_identifiers.identifier) as subject_identifier,
        case when named_identifiers.mailbox is not null then {{ mailbox_hash('named_identifiers.mailbox') }} end as mailbox_hash,
        case named_identifiers.identifier_type
            {%- for identifier in identifiers %}
            when '{{ identifier }}' then {{ named_hash('email' if identifier == 'email_then' else identifier, 'named_identifiers.identifier') }}
            {%- endfor %}
        end as identifier_hash
    from {{ with_mailboxes('named_identifiers') }} as named_identifiers
    left join blocked_mailboxes on named_identifiers.widest_mailbox = blocked_mailboxes.widest_mailbox
    cross join {{ ref('erasure_salt') }} as salt
    where blocked_mailboxes.widest_mailbox is null
),

-- Subjects that a customer still has.
used_subjects as (
    select distinct subject from {{ ref('subject_customers') }}
),

shared_identifiers as (
    select distinct
        subjects.identifier_type,
        subjects.identifier
    from {{ ref('consent_subjects') }} as subjects
    inner join used_subjects on subjects.subject = used_subjects.subject
),

-- Hashed by address and by mailbox, which covers other spellings.
identifier_hashes as (
    select
        identifier_type,
        identifier,
        subject_identifier,
        identifier_hash
    from hashed_identifiers
    union all
    select
        identifier_type,
        identifier,
        subject_identifier,
        mailbox_hash as identifier_hash
    from hashed_identifiers
    where mailbox_hash is not null
),

erased_mentions as (
    select
        identifier_hashes.identifier_type,
        identifier_hashes.identifier,
        max(case when shared_identifiers.identifier is not null then 1 else 0 end) = 1 as is_shared,
        max(erased_identifiers.received_at) as received_at
    from identifier_hashes
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on identifier_hashes.identifier_hash = erased_identifiers.identifier_hash
    left join shared_identifiers
        on
            case when identifier_hashes.identifier_type = 'email_then' then 'email' else identifier_hashes.identifier_type end
            = shared_identifiers.identifier_type
            and identifier_hashes.subject_identifier = shared_identifiers.identifier
    group by identifier_hashes.identifier_type, identifier_hashes.identifier
),

ledger_events as (
    select
        ledger.*,
        {% for identifier in identifiers -%}
        case when coalesce(erased_{{ identifier }}.is_shared, true) then ledger.{{ identifier }} end as shown_{{ identifier }},
        {% endfor -%}
        coalesce(
            {%- for identifier in identifiers %}
            erased_{{ identifier }}.identifier{{ ',' if not loop.last }}
            {%- endfor %}
        ) is not null as names_erased
    from ledger
    {% for identifier in identifiers -%}
    left join erased_mentions as erased_{{ identifier }}
        on
            erased_{{ identifier }}.identifier_type = '{{ identifier }}'
            and ledger.{{ identifier }} = erased_{{ identifier }}.identifier
            -- An event after the request belongs to the customer who has the identifier today.
            and not coalesce(erased_{{ identifier }}.is_shared and ledger.occurred_at > erased_{{ identifier }}.received_at, false)
    {% endfor %}
)

select
    consent_event_id,
    source_system,
    case when not names_erased then source_key end as source_key,
    {% for identifier in identifiers[:-1] -%}
    shown_{{ identifier }} as {{ identifier }},
    {% endfor -%}
    channel,
    purpose,
    consent_status,
    lawful_basis,
    recorded_by,
    form,
    text_version,
    confirmed_at,
    occurred_at,
    recorded_at,
    shown_email_then as email_then
from ledger_events
where
    not names_erased
    or (
        consent_status not in ('granted', 'pending', '{{ not_said() }}')
        and coalesce({% for identifier in identifiers %}shown_{{ identifier }}{{ ', ' if not loop.last }}{% endfor %}) is not null
    )
