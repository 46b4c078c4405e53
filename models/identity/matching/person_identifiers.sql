-- Which of a record's addresses, numbers and accounts may join it, and why the others may not.
-- Longer than 120 lines because each of three reasons against a join (several people, a stronger identifier, a crowd) needs
-- the compared pairs.
with compared_pairs as (
    select
        identifier_type,
        identifier,
        record_key,
        other_record_key,
        verdict
    from {{ ref('compared_records') }}
),

pairs_both_ways as (
    select * from compared_pairs
    union all
    select
        identifier_type,
        identifier,
        other_record_key as record_key,
        record_key as other_record_key,
        verdict
    from compared_pairs
),

-- Joins by verdict: same, and at an address also fits.
joined_pairs as (
    select
        identifier_type,
        identifier,
        record_key,
        other_record_key
    from pairs_both_ways
    where verdict in ('same', 'fits')
),

-- For example Alex, if Alexander and Alexandra share the address, or a record without a name at a couple's address.
undecided_records as (
    select distinct
        one.identifier_type,
        one.identifier,
        one.record_key
    from joined_pairs as one
    inner join joined_pairs as other
        on
            one.identifier_type = other.identifier_type
            and one.identifier = other.identifier
            and one.record_key = other.record_key
            and one.other_record_key < other.other_record_key
    inner join compared_pairs
        on
            one.identifier_type = compared_pairs.identifier_type
            and one.identifier = compared_pairs.identifier
            and one.other_record_key = compared_pairs.record_key
            and other.other_record_key = compared_pairs.other_record_key
            and compared_pairs.verdict = 'different'
),

-- For example a record without a name with Anna's account and Ben's address: it stays with the stronger identifier.
bridging_records as (
    select distinct
        bridges.record_key,
        bridges.weaker_type as identifier_type,
        bridges.identifier_type as stronger_type
    from {{ ref('bridges') }} as bridges
    inner join {{ ref('compared_names') }} as names
        on bridges.name_key = names.name_key and bridges.other_name_key = names.other_name_key
    left join joined_pairs as near
        on
            bridges.identifier_type = near.identifier_type
            and bridges.identifier = near.identifier
            and bridges.record_key = near.record_key
            and bridges.near_record_key = near.other_record_key
    left join joined_pairs as far
        on
            bridges.weaker_type = far.identifier_type
            and bridges.weaker_identifier = far.identifier
            and bridges.record_key = far.record_key
            and bridges.far_record_key = far.other_record_key
    where
        (near.record_key is not null or not bridges.is_compared)
        and (far.record_key is not null or not bridges.is_weaker_compared)
        and {{ two_people_because('names.given_names', birth_dates_compared('bridges.birth_date', 'bridges.other_birth_date')) }} is not null
),

stronger_identifiers as (
    select
        record_key,
        identifier_type,
        min(case stronger_type when 'shop_customer_id' then 'account' else 'address' end) as stronger_type
    from bridging_records
    group by record_key, identifier_type
),

-- One record per person on an address or number: those that have a name and are not the same as an earlier one.
distinct_persons as (
    select
        identifiers.identifier_type,
        identifiers.identifier,
        identifiers.record_key
    from {{ ref('record_identifiers') }} as identifiers
    inner join {{ ref('person_names') }} as names on identifiers.name_key = names.name_key
    left join pairs_both_ways as before
        on
            identifiers.identifier_type = before.identifier_type
            and identifiers.identifier = before.identifier
            and identifiers.record_key = before.record_key
            and before.other_record_key < before.record_key
            and before.verdict = 'same'
    where identifiers.is_compared and identifiers.why_not is null and names.given_1 is not null and before.record_key is null
),

crowd_identifiers as (
    select
        identifier_type,
        identifier
    from distinct_persons
    group by identifier_type, identifier
    having count(*) > {{ var('identity_max_names') }}
)

select
    identifiers.record_key,
    identifiers.name_key,
    identifiers.identifier_type,
    identifiers.identifier,
    identifiers.is_compared,
    coalesce(
        identifiers.why_not,
        case
            when crowds.identifier is not null then 'used with more than {{ var("identity_max_names") }} names'
            when undecided.record_key is not null then 'several people share it, and the record fits more than one of them'
            when stronger.record_key is not null then 'leads to another person than its ' || stronger.stronger_type || ' does'
        end
    ) as why_not
from {{ ref('record_identifiers') }} as identifiers
left join crowd_identifiers as crowds
    on identifiers.identifier_type = crowds.identifier_type and identifiers.identifier = crowds.identifier
left join undecided_records as undecided
    on
        identifiers.identifier_type = undecided.identifier_type
        and identifiers.identifier = undecided.identifier
        and identifiers.record_key = undecided.record_key
left join stronger_identifiers as stronger
    on identifiers.identifier_type = stronger.identifier_type and identifiers.record_key = stronger.record_key
