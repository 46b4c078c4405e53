-- What of a record's addresses, numbers and accounts may join it, and what of it may not, and why.
with compared as (
    select
        identifier_type,
        identifier,
        record_key,
        other_record_key,
        verdict
    from {{ ref('compared_records') }}
),

both_ways as (
    select * from compared
    union all
    select
        identifier_type,
        identifier,
        other_record_key as record_key,
        record_key as other_record_key,
        verdict
    from compared
),

-- A record is joined to those who are the same, and by an address also to those whom it fits.
joined as (
    select
        identifier_type,
        identifier,
        record_key,
        other_record_key
    from both_ways
    where verdict in ('same', 'fits')
),

-- Alex, where Alexander and Alexandra share the address; a record without a name at a couple's address.
undecided as (
    select distinct
        one.identifier_type,
        one.identifier,
        one.record_key
    from joined as one
    inner join joined as other
        on
            one.identifier_type = other.identifier_type
            and one.identifier = other.identifier
            and one.record_key = other.record_key
            and one.other_record_key < other.other_record_key
    inner join compared
        on
            one.identifier_type = compared.identifier_type
            and one.identifier = compared.identifier
            and one.other_record_key = compared.record_key
            and other.other_record_key = compared.other_record_key
            and compared.verdict = 'different'
),

-- A record without a name that has Anna's account and Ben's address: it stays with the stronger of the two.
bridging as (
    select distinct
        bridges.record_key,
        bridges.weaker_type as identifier_type,
        bridges.identifier_type as stronger_type
    from {{ ref('bridges') }} as bridges
    inner join {{ ref('compared_names') }} as names
        on bridges.name_key = names.name_key and bridges.other_name_key = names.other_name_key
    left join joined as near
        on
            bridges.identifier_type = near.identifier_type
            and bridges.identifier = near.identifier
            and bridges.record_key = near.record_key
            and bridges.near_record_key = near.other_record_key
    left join joined as far
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

stronger as (
    select
        record_key,
        identifier_type,
        min(case stronger_type when 'shop_customer_id' then 'account' else 'address' end) as stronger_type
    from bridging
    group by record_key, identifier_type
),

-- How many people an address or number stands for: records of a name that are the same as no other before them.
firsts as (
    select
        identifiers.identifier_type,
        identifiers.identifier,
        identifiers.record_key
    from {{ ref('record_identifiers') }} as identifiers
    inner join {{ ref('person_names') }} as names on identifiers.name_key = names.name_key
    left join both_ways as before
        on
            identifiers.identifier_type = before.identifier_type
            and identifiers.identifier = before.identifier
            and identifiers.record_key = before.record_key
            and before.other_record_key < before.record_key
            and before.verdict = 'same'
    where identifiers.is_compared and identifiers.why_not is null and names.given_1 is not null and before.record_key is null
),

crowds as (
    select
        identifier_type,
        identifier
    from firsts
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
            when crowds.identifier is not null then 'goes by more than {{ var("identity_max_names") }} names'
            when undecided.record_key is not null then 'several people share it, and the record fits more than one of them'
            when stronger.record_key is not null then 'leads to another person than its ' || stronger.stronger_type || ' does'
        end
    ) as why_not
from {{ ref('record_identifiers') }} as identifiers
left join crowds
    on identifiers.identifier_type = crowds.identifier_type and identifiers.identifier = crowds.identifier
left join undecided
    on
        identifiers.identifier_type = undecided.identifier_type
        and identifiers.identifier = undecided.identifier
        and identifiers.record_key = undecided.record_key
left join stronger
    on identifiers.identifier_type = stronger.identifier_type and identifiers.record_key = stronger.record_key
