-- A spelling stands for what the seed category_spellings says, and else for itself. A key that ends in > holds for all below
-- it, but never for what may tell too much: that is mapped by its whole path, or stays what it is.
with spellings as (
    select
        category as category_as_given,
        count(*) as n_products
    from {{ ref('base_shop__products') }}
    where reject_reason is null and category is not null
    group by category
),

keyed as (
    select
        *,
        {{ category_key('category_as_given') }} as category_key,
        {{ category_name('category_as_given') }} as category_name
    from spellings
),

counted as (
    select
        category_key,
        category_name,
        sum(n_products) as n_products
    from keyed
    where category_key is not null and category_name is not null
    group by category_key, category_name
),

-- Of the ways to write one category, the most frequent is its name.
named as (
    select
        category_key,
        {{ value_at_max('category_name', "lpad(cast(n_products as " ~ dbt.type_string() ~ "), 20, '0') || category_name", is_unique=true) }} as own_name
    from counted
    group by category_key
),

seed as (
    select
        {{ category_key('category_key') }} as category_key,
        trim(category_key) like '%>' as holds_below,
        category
    from {{ ref('category_spellings') }}
),

exact as (
    select
        category_key,
        max(category) as category
    from seed
    group by category_key
),

sensitive as (
    select {{ sensitive_words('category') }} as words from {{ ref('sensitive_categories') }}
),

revealing as (
    select distinct keyed.category_key
    from keyed
    inner join sensitive on {{ category_words('keyed.category_as_given') }} like '%' || sensitive.words || '%'
),

above as (
    select
        named.category_key,
        {{ value_at_max('seed.category', "lpad(cast(length(seed.category_key) as " ~ dbt.type_string() ~ "), 20, '0') || seed.category", is_unique=true) }} as category
    from named
    inner join seed on named.category_key like seed.category_key || '>%'
    left join revealing on named.category_key = revealing.category_key
    where seed.holds_below and revealing.category_key is null
    group by named.category_key
)

select
    keyed.category_as_given,
    keyed.category_key,
    coalesce(exact.category, above.category, named.own_name) as category,
    coalesce(exact.category, above.category) is not null as is_mapped,
    keyed.n_products
from keyed
left join exact on keyed.category_key = exact.category_key
left join above on keyed.category_key = above.category_key
left join named on keyed.category_key = named.category_key
