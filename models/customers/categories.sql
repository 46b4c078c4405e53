with spellings as (
    select * from {{ ref('stg_shop__categories') }}
),

sensitive as (
    select
        why,
        {{ category_words('category') }} as words
    from {{ ref('sensitive_categories') }}
),

categories as (
    select
        category,
        {{ category_words('category') }} as words,
        count(*) as n_spellings,
        sum(n_products) as n_products
    from spellings
    where category is not null
    group by category
),

reasons as (
    select
        categories.category,
        min(sensitive.why) as why
    from categories
    inner join sensitive on categories.words like '%' || sensitive.words || '%'
    group by categories.category
)

select
    categories.category,
    cast(categories.n_spellings as bigint) as n_spellings,
    cast(categories.n_products as bigint) as n_products,
    reasons.category is not null as is_sensitive,
    reasons.why as sensitive_because
from categories
left join reasons on categories.category = reasons.category
