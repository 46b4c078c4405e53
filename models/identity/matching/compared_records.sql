-- Two records that one address or number stands on, where their names or birth dates differ: are they one person's?
-- "same" joins them, and so does "fits": they share an address, and nothing speaks against it. "apart" does not join them.
-- "different" are two people, so that a record which is the same as both, or fits both, is joined to neither.
{% set silence_days = var('identity_silence_days') %}
with records as (
    select
        record_key,
        mailbox,
        {{ street_key('street') }} as street,
        {{ postal_code_key('postal_code') }} as postal_code,
        first_seen_at,
        coalesce(updated_at, first_seen_at) as last_seen_at
    from {{ ref('identity_records') }}
),

pairs as (
    select * from {{ ref('compared_identifiers') }}
),

weighed as (
    select
        pairs.identifier_type,
        pairs.identifier,
        pairs.record_key,
        pairs.other_record_key,
        names.given_names,
        names.family_names,
        {{ birth_dates_compared('pairs.birth_date', 'pairs.other_birth_date') }} as birth_dates,
        coalesce(one.postal_code = other.postal_code and one.street = other.street, false) as has_same_place,
        coalesce(one.postal_code <> other.postal_code, false) as has_other_place,
        coalesce(
            {{ dbt.dateadd('day', silence_days, 'one.last_seen_at') }} < other.first_seen_at
            or {{ dbt.dateadd('day', silence_days, 'other.last_seen_at') }} < one.first_seen_at,
            false
        ) as has_long_silence
    from pairs
    inner join {{ ref('compared_names') }} as names
        on pairs.name_key = names.name_key and pairs.other_name_key = names.other_name_key
    inner join records as one on pairs.record_key = one.record_key
    inner join records as other on pairs.other_record_key = other.record_key
),

judged as (
    select
        *,
        coalesce(
            {{ two_people_because('given_names', 'birth_dates') }},
            case
                when
                    has_other_place and has_long_silence
                    and (family_names = 'different' or (identifier_type = 'phone' and family_names = 'unknown'))
                    then 'it changed hands: another name, another place, and a silence of more than {{ silence_days }} days between'
            end
        ) as different_because,
        case
            when given_names = 'joint' then 'apart'
            when given_names = 'resembling' and family_names <> 'different' then 'same'
            when given_names = 'resembling' then 'apart'
            when identifier_type = 'email' then {{ likeness_at_an_address() }}
            else {{ likeness_on_a_number() }}
        end as likeness
    from weighed
)

select
    identifier_type,
    identifier,
    record_key,
    other_record_key,
    given_names,
    family_names,
    birth_dates,
    case when different_because is null then likeness else 'different' end as verdict,
    different_because
from judged
