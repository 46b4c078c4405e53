-- The identifiers of records that may join them, and the reasons against that before names are compared.
-- Longer than 120 lines because a third of them count the names on an identifier, which later models would otherwise compare
-- pair by pair.
with records as (
    select
        record_key,
        mailbox,
        why_no_email,
        phone,
        shop_customer_id,
        birth_date,
        {{ postal_code_key('postal_code') }} as postal_code,
        {{ name_key('first_name', 'last_name') }} as name_key
    from {{ ref('identity_records') }}
),

identifiers as (
    select
        records.record_key,
        records.name_key,
        records.birth_date,
        records.postal_code,
        'email' as identifier_type,
        records.mailbox as identifier,
        records.mailbox,
        case when roles.local_part is not null then 'role account' else records.why_no_email end as why_not
    from records
    left join {{ ref('role_accounts') }} as roles on {{ dbt.split_part('records.mailbox', "'@'", 1) }} = roles.local_part
    where records.mailbox is not null
    union all
    select
        records.record_key,
        records.name_key,
        records.birth_date,
        records.postal_code,
        'phone' as identifier_type,
        records.phone as identifier,
        records.mailbox,
        case
            when impersonal.identifier is not null then impersonal.why
            when {{ matches_pattern('records.phone', placeholder_phone()) | trim }} then 'a placeholder number'
        end as why_not
    from records
    left join {{ ref('impersonal_identifiers') }} as impersonal
        on impersonal.identifier_type = 'phone' and records.phone = impersonal.identifier
    where records.phone is not null
    union all
    select
        record_key,
        name_key,
        birth_date,
        postal_code,
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier,
        mailbox,
        cast(null as {{ dbt.type_string() }}) as why_not
    from records
    where shop_customer_id is not null
),

named_identifiers as (
    select
        identifiers.*,
        names.given_1,
        names.given_2,
        names.family_whole,
        names.title,
        names.generation,
        coalesce(names.is_joint, false) as is_joint
    from identifiers
    left join {{ ref('person_names') }} as names on identifiers.name_key = names.name_key
),

identifier_counts as (
    select
        identifier_type,
        identifier,
        count(*) as n_records,
        -- If all names and dates agree, or are missing, there is nothing to compare.
        identifier_type <> 'shop_customer_id' and (
            max(case when is_joint then 1 else 0 end) = 1
            {% for column in ['given_1', 'given_2', 'family_whole', 'title', 'generation', 'birth_date'] -%}
            or coalesce(min({{ column }}) <> max({{ column }}), false)
            {% endfor -%}
            -- The number may have changed hands.
            or (identifier_type = 'phone' and count(family_whole) < count(*) and coalesce(min(postal_code) <> max(postal_code), false))
        ) as is_compared,
        min(given_1) as least_given_1,
        max(given_1) as greatest_given_1,
        min(given_2) as least_given_2,
        max(given_2) as greatest_given_2,
        min(title) as least_title,
        max(title) as greatest_title,
        min(generation) as least_generation,
        max(generation) as greatest_generation,
        min(birth_date) as least_birth_date,
        max(birth_date) as greatest_birth_date
    from named_identifiers
    group by identifier_type, identifier
),

-- The number of a switchboard, or of the person who entered the records.
switchboards as (
    select named_identifiers.identifier
    from named_identifiers
    inner join identifier_counts
        on
            named_identifiers.identifier_type = identifier_counts.identifier_type
            and named_identifiers.identifier = identifier_counts.identifier
            and identifier_counts.n_records > {{ var('identity_max_names') }}
    where named_identifiers.identifier_type = 'phone'
    group by named_identifiers.identifier
    having count(distinct named_identifiers.mailbox) > {{ var('identity_max_names') }}
)

select
    named.record_key,
    named.name_key,
    named.given_1,
    named.given_2,
    named.title,
    named.generation,
    named.birth_date,
    named.identifier_type,
    named.identifier,
    counts.n_records,
    counts.is_compared,
    counts.least_given_1,
    counts.greatest_given_1,
    counts.least_given_2,
    counts.greatest_given_2,
    counts.least_title,
    counts.greatest_title,
    counts.least_generation,
    counts.greatest_generation,
    counts.least_birth_date,
    counts.greatest_birth_date,
    coalesce(
        named.why_not,
        case
            when counts.n_records > {{ var('identity_max_records_per_identifier') }}
                then 'seen on more than {{ var("identity_max_records_per_identifier") }} records'
            when switchboards.identifier is not null
                then 'appears with more than {{ var("identity_max_names") }} e-mail addresses'
            when
                named.identifier_type = 'phone'
                and (
                    named.given_1 is null
                    or (named.family_whole is null and {{ matches_pattern('named.given_1', '^[a-z]$') }})
                )
                then 'a phone number, and the record has no given name'
        end
    ) as why_not
from named_identifiers as named
inner join identifier_counts as counts
    on named.identifier_type = counts.identifier_type and named.identifier = counts.identifier
left join switchboards on named.identifier_type = 'phone' and named.identifier = switchboards.identifier
