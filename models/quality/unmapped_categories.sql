-- Spellings that the seed category_spellings does not know: listed for a person to look at. They stand for themselves.
with products as (
    select * from {{ ref('stg_shop__categories') }}
),

seed as (
    select
        {{ category_key('category_key') }} as category_key,
        trim(category_key) like '%>' as holds_below
    from {{ ref('category_spellings') }}
),

names as (
    select
        category_key,
        max(category) as category
    from products
    group by category_key
),

viewed as (
    select
        category as category_as_given,
        count(*) as n_rows
    from {{ ref('base_web__events') }}
    where category is not null and reject_reason is null
    group by category
),

keyed as (
    select
        *,
        {{ category_key('category_as_given') }} as category_key
    from viewed
),

known as (
    select distinct keyed.category_as_given
    from keyed
    inner join seed
        on
            keyed.category_key = seed.category_key
            or (seed.holds_below and keyed.category_key like seed.category_key || '>%')
),

unmapped as (
    select
        category_as_given,
        category_key,
        category,
        'products' as used_in,
        n_products as n_rows
    from products
    where not is_mapped
    union all
    select
        keyed.category_as_given,
        keyed.category_key,
        names.category,
        'web events' as used_in,
        keyed.n_rows
    from keyed
    left join known on keyed.category_as_given = known.category_as_given
    left join names on keyed.category_key = names.category_key
    where known.category_as_given is null
)

select
    unmapped.category_as_given,
    unmapped.category_key,
    unmapped.category,
    coalesce(categories.is_sensitive, false) as is_sensitive,
    unmapped.used_in,
    unmapped.n_rows
from unmapped
left join {{ ref('categories') }} as categories on unmapped.category = categories.category
