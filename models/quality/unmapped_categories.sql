-- Spellings that the seed category_spellings does not know: listed to be added there, not guessed.
with known as (
    select category_key from {{ ref('category_spellings') }}
),

spellings as (
    select
        category_as_given,
        'products' as used_in
    from {{ ref('stg_shop__products') }}
    where category_as_given is not null
    union all
    select
        category as category_as_given,
        'web events' as used_in
    from {{ ref('base_web__events') }}
    where category is not null and reject_reason is null
),

counted as (
    select
        category_as_given,
        used_in,
        {{ category_key('category_as_given') }} as category_key,
        count(*) as n_rows
    from spellings
    group by category_as_given, used_in
)

select
    counted.category_as_given,
    counted.category_key,
    counted.used_in,
    counted.n_rows
from counted
left join known on counted.category_key = known.category_key
where known.category_key is null
