-- How two names compare that stand on one address or number: what the guards, consent and erasure mean by "the same name".
with pairs as (
    select
        name_key,
        other_name_key
    from {{ ref('compared_identifiers') }}
    union distinct
    select
        name_key,
        other_name_key
    from {{ ref('bridges') }}
),

compared as (
    select
        pairs.name_key,
        pairs.other_name_key,
        {{ are_swapped('one', 'other') }} as are_swapped,
        {{ given_names_compared('one', 'other') }} as given_names,
        {{ family_names_compared('one', 'other') }} as family_names
    from pairs
    left join {{ ref('person_names') }} as one on pairs.name_key = one.name_key
    left join {{ ref('person_names') }} as other on pairs.other_name_key = other.name_key
)

select
    name_key,
    other_name_key,
    case when are_swapped then 'same' else given_names end as given_names,
    case when are_swapped then 'same' else family_names end as family_names
from compared
