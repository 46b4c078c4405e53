-- How two names compare that share an address or number, or that a record would bridge.
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
)

select
    name_key,
    other_name_key,
    given_names,
    family_names
from {{ names_compared('pairs') }} as compared
