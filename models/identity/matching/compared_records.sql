-- Whether two records with the same address or number, but different names or birth dates, are one person. "same" joins them.
-- "fits" joins them too: they share an address, and nothing contradicts it. "apart" does not join them. "different" are two
-- people: a record that is the same as both, or fits both, is joined to neither.
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

pair_evidence as (
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
            {{ date_add('day', silence_days, 'one.last_seen_at') }} < other.first_seen_at
            or {{ date_add('day', silence_days, 'other.last_seen_at') }} < one.first_seen_at,
            false
        ) as has_long_silence
    from pairs
    inner join {{ ref('compared_names') }} as names
        on pairs.name_key = names.name_key and pairs.other_name_key = names.other_name_key
    inner join records as one on pairs.record_key = one.record_key
    inner join records as other on pairs.other_record_key = other.record_key
),

pair_verdicts as (
    select
        *,
        coalesce(
            {{ two_people_because('given_names', 'birth_dates') }},
            case
                when
                    has_other_place and has_long_silence
                    and (family_names = 'different' or (identifier_type = 'phone' and family_names = 'unknown'))
                    then 'it changed hands: another name and place, after more than {{ silence_days }} days without activity'
            end
        ) as different_because,
        case
            when given_names = 'joint' then 'apart'
            when given_names = 'resembling' and family_names <> 'different' then 'same'
            when given_names = 'resembling' then 'apart'
            when identifier_type = 'email' then {{ likeness_at_an_address() }}
            else {{ likeness_on_a_number() }}
        end as likeness
    from pair_evidence
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
from pair_verdicts
