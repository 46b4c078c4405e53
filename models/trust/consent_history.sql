-- The ledger without refused erasures and erased persons: a yes that names one is gone, and of a no what is left is what it
-- says of others who share the address, phone or device.
{% set identifiers = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id', 'email_then'] %}
with refused_erasures as (
    select {{ row_of('request_id') }} as row_of
    from {{ ref('base_privacy__requests') }}
    where request_id is not null
    group by request_id
    having min(case when lower(trim(request_type)) = 'erasure' and lower(trim(status)) = 'refused' then 1 else 0 end) = 1
),

-- An erasure that was refused closes nothing (GDPR art. 17(3)); an objection can't be refused (art. 21(3)).
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

named as (
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

-- An address that is typed to get past a form is of no person, so of no erased one either.
blocked as (
    select distinct widest_mailbox
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifier_type = 'email'
),

hashed as (
    select
        named.identifier_type,
        named.identifier,
        coalesce(named.widest_mailbox, named.identifier) as answers_to,
        case when named.mailbox is not null then {{ mailbox_hash('named.mailbox') }} end as mailbox_hash,
        case named.identifier_type
            {%- for identifier in identifiers %}
            when '{{ identifier }}' then {{ named_hash('email' if identifier == 'email_then' else identifier, 'named.identifier') }}
            {%- endfor %}
        end as identifier_hash
    from {{ with_mailboxes('named') }} as named
    left join blocked on named.widest_mailbox = blocked.widest_mailbox
    cross join {{ ref('erasure_salt') }} as salt
    where blocked.widest_mailbox is null
),

-- What somebody still answers to.
answered_to as (
    select distinct subject from {{ ref('subject_customers') }}
),

others as (
    select distinct
        subjects.identifier_type,
        subjects.identifier
    from {{ ref('consent_subjects') }} as subjects
    inner join answered_to on subjects.subject = answered_to.subject
),

-- By the address itself, or by its mailbox in another spelling.
spelled as (
    select
        identifier_type,
        identifier,
        answers_to,
        identifier_hash
    from hashed
    union all
    select
        identifier_type,
        identifier,
        answers_to,
        mailbox_hash as identifier_hash
    from hashed
    where mailbox_hash is not null
),

erased as (
    select
        spelled.identifier_type,
        spelled.identifier,
        max(case when others.identifier is not null then 1 else 0 end) = 1 as is_of_others_too,
        max(erased_identifiers.received_at) as received_at
    from spelled
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on spelled.identifier_hash = erased_identifiers.identifier_hash
    left join others
        on
            case when spelled.identifier_type = 'email_then' then 'email' else spelled.identifier_type end = others.identifier_type
            and spelled.answers_to = others.identifier
    group by spelled.identifier_type, spelled.identifier
),

answers as (
    select
        ledger.*,
        {% for identifier in identifiers -%}
        case when coalesce(of_{{ identifier }}.is_of_others_too, true) then ledger.{{ identifier }} end as shown_{{ identifier }},
        {% endfor -%}
        coalesce(
            {%- for identifier in identifiers %}
            of_{{ identifier }}.identifier{{ ',' if not loop.last }}
            {%- endfor %}
        ) is not null as names_erased
    from ledger
    {% for identifier in identifiers -%}
    left join erased as of_{{ identifier }}
        on
            of_{{ identifier }}.identifier_type = '{{ identifier }}'
            and ledger.{{ identifier }} = of_{{ identifier }}.identifier
            -- Said after the request by somebody who is there today, it is theirs.
            and not coalesce(of_{{ identifier }}.is_of_others_too and ledger.occurred_at > of_{{ identifier }}.received_at, false)
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
from answers
where
    not names_erased
    or (
        consent_status not in ('granted', 'pending', '{{ not_said() }}')
        and coalesce({% for identifier in identifiers %}shown_{{ identifier }}{{ ', ' if not loop.last }}{% endfor %}) is not null
    )
