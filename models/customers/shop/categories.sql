with spellings as (
    select * from {{ ref('stg_shop__categories') }}
),

sensitive_terms as (
    select
        why,
        {{ sensitive_words('category') }} as words
    from {{ ref('sensitive_categories') }}
),

categories as (
    select
        category,
        count(*) as n_spellings,
        sum(n_products) as n_products
    from spellings
    where category is not null
    group by category
),

-- Any spelling may reveal that a category is sensitive, not only its name.
spelling_words as (
    select
        category,
        {{ category_words('category_as_given') }} as words
    from spellings
    union distinct
    select
        category,
        {{ category_words('category') }} as words
    from spellings
),

reasons as (
    select
        spelling_words.category,
        min(sensitive_terms.why) as why
    from spelling_words
    inner join sensitive_terms on spelling_words.words like '%' || sensitive_terms.words || '%'
    group by spelling_words.category
)

select
    categories.category,
    cast(categories.n_spellings as bigint) as n_spellings,
    cast(categories.n_products as bigint) as n_products,
    reasons.category is not null as is_sensitive,
    reasons.why as sensitive_because
from categories
left join reasons on categories.category = reasons.category
