-- The compared values of each record: names as in person_names, and only addresses and numbers that may join it. A record
-- without a given name is left out (it may belong to a husband or a twin), and so is one with nothing but a name.
{% set max_records = var('identity_probable_max_block') %}
with usable_contacts as (
    select
        record_key,
        max(case when identifier_type = 'email' then identifier end) as mailbox,
        max(case when identifier_type = 'phone' then identifier end) as phone
    from {{ ref('person_identifiers') }}
    where why_not is null
    group by record_key
),

records as (
    select
        records.record_key,
        names.given_1 as given,
        names.family_whole as family,
        names.{{ full_names() | join(',\n        names.') }},
        names.given_letters,
        names.family_letters,
        cast(records.birth_date as {{ dbt.type_string() }}) as birth_date,
        {{ street_key('records.street') }} as street,
        {{ postal_code_key('records.postal_code') }} as postal_code,
        nullif(lower(trim(records.city)), '') as city,
        usable_contacts.mailbox,
        -- anna.berg at two providers may be any two people of that name, anna.berg85 hardly.
        case
            when {{ matches_pattern('usable_contacts.mailbox', '^[^@]*[0-9][^@]*[0-9][^@]*@') }}
                then {{ dbt.split_part('usable_contacts.mailbox', "'@'", 1) }}
        end as local_part,
        usable_contacts.phone
    from {{ ref('identity_records') }} as records
    inner join {{ ref('person_names') }} as names
        on {{ name_key('records.first_name', 'records.last_name') }} = names.name_key
    left join usable_contacts on records.record_key = usable_contacts.record_key
    where
        not names.is_joint
        and length(names.given_1) > 1
        and (
            (length(names.family_whole) > 1 and coalesce(records.street, usable_contacts.mailbox, usable_contacts.phone) is not null)
            or (length(names.family_whole) > 1 and records.birth_date is not null)
            or (records.birth_date is not null and coalesce(records.street, usable_contacts.mailbox, usable_contacts.phone) is not null)
        )
),

-- Records that share one of these keys are compared. Several keys, so that a typing error in one leaves another.
records_with_keys as (
    select
        *,
        least(given, family) || '|' || greatest(given, family) as key_1,
        least(given_letters, family_letters) || '|' || greatest(given_letters, family_letters) as key_2,
        birth_date || '|' || least(substr(given, 1, 1), substr(family, 1, 1)) as key_3,
        postal_code || '|' || street as key_4,
        phone as key_5,
        local_part as key_6,
        family || '|' || postal_code as key_7,
        given || '|' || postal_code as key_8,
        family || '|' || substr(birth_date, 1, 4) as key_9,
        given || '|' || substr(birth_date, 1, 7) as key_10,
        street as key_11,
        birth_date as key_12
    from records
)

-- A key of more records says little, and comparing them all would cost their square.
select
    record_key,
    {% for place in range(1, 13) -%}
    case when count(*) over (partition by key_{{ place }}) <= {{ max_records }} then key_{{ place }} end as key_{{ place }},
    {% endfor -%}
    {{ full_names() | join(',\n    ') }},
    given,
    family,
    given_letters,
    family_letters,
    birth_date,
    street,
    postal_code,
    city,
    mailbox,
    local_part,
    phone
from records_with_keys
