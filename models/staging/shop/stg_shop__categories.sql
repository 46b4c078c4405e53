-- A spelling gets the category in seed category_spellings, or keeps its own name. A key that ends in > covers all categories
-- below it, except sensitive ones: these are mapped by their whole path only, or keep their name.
with spellings as (
    select
        category as category_as_given,
        count(*) as n_products
    from {{ ref('base_shop__products') }}
    where reject_reason is null and category is not null
    group by category
),

keyed_spellings as (
    select
        *,
        {{ category_key('category_as_given') }} as category_key,
        {{ category_name('category_as_given') }} as category_name
    from spellings
),

name_counts as (
    select
        category_key,
        category_name,
        sum(n_products) as n_products
    from keyed_spellings
    where category_key is not null and category_name is not null
    group by category_key, category_name
),

-- The most frequent spelling of a category is its name.
own_names as (
    select
        category_key,
        {{ value_at_max('category_name', "lpad(cast(n_products as " ~ dbt.type_string() ~ "), 20, '0') || category_name", is_unique=true) }} as own_name
    from name_counts
    group by category_key
),

mapped_keys as (
    select
        {{ category_key('category_key') }} as category_key,
        trim(category_key) like '%>' as holds_below,
        category
    from {{ ref('category_spellings') }}
),

exact_matches as (
    select
        category_key,
        max(category) as category
    from mapped_keys
    group by category_key
),

sensitive_texts as (
    select {{ sensitive_words('category') }} as words from {{ ref('sensitive_categories') }}
),

sensitive_keys as (
    select distinct keyed_spellings.category_key
    from keyed_spellings
    inner join sensitive_texts on {{ category_words('keyed_spellings.category_as_given') }} like '%' || sensitive_texts.words || '%'
),

parent_matches as (
    select
        own_names.category_key,
        {{ value_at_max('seed.category', "lpad(cast(length(seed.category_key) as " ~ dbt.type_string() ~ "), 20, '0') || seed.category", is_unique=true) }} as category
    from own_names
    inner join mapped_keys as seed on own_names.category_key like seed.category_key || '>%'
    left join sensitive_keys on own_names.category_key = sensitive_keys.category_key
    where seed.holds_below and sensitive_keys.category_key is null
    group by own_names.category_key
)

select
    keyed_spellings.category_as_given,
    keyed_spellings.category_key,
    coalesce(exact_matches.category, parent_matches.category, own_names.own_name) as category,
    coalesce(exact_matches.category, parent_matches.category) is not null as is_mapped,
    keyed_spellings.n_products
from keyed_spellings
left join exact_matches on keyed_spellings.category_key = exact_matches.category_key
left join parent_matches on keyed_spellings.category_key = parent_matches.category_key
left join own_names on keyed_spellings.category_key = own_names.category_key
