-- A category that is missing from seed category_spellings keeps its own name. A country that is missing from seed country_names
-- counts as no country, and so as no law, until it is added.
{% set tables = {'shop': ['customers', 'orders'], 'crm': ['contacts'], 'esp': ['profiles']} %}
with products as (
    select * from {{ ref('stg_shop__categories') }}
),

seed_spellings as (
    select
        {{ category_key('category_key') }} as category_key,
        trim(category_key) like '%>' as holds_below
    from {{ ref('category_spellings') }}
),

category_names as (
    select
        category_key,
        max(category) as category
    from products
    group by category_key
),

viewed_categories as (
    select
        category as category_as_given,
        count(*) as n_rows
    from {{ ref('base_web__events') }}
    where category is not null and reject_reason is null
    group by category
),

keyed_categories as (
    select
        *,
        {{ category_key('category_as_given') }} as category_key
    from viewed_categories
),

known_categories as (
    select distinct keyed_categories.category_as_given
    from keyed_categories
    inner join seed_spellings
        on
            keyed_categories.category_key = seed_spellings.category_key
            or (seed_spellings.holds_below and keyed_categories.category_key like seed_spellings.category_key || '>%')
),

unmapped_categories as (
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
        keyed_categories.category_as_given,
        keyed_categories.category_key,
        category_names.category,
        'web events' as used_in,
        keyed_categories.n_rows
    from keyed_categories
    left join known_categories on keyed_categories.category_as_given = known_categories.category_as_given
    left join category_names on keyed_categories.category_key = category_names.category_key
    where known_categories.category_as_given is null
),

countries as (
    select country_name from {{ ref('country_names') }}
),

country_spellings as (
    {% for source_name, table_names in tables.items() -%}
    {%- set last_source = loop.last -%}
    {% for table_name in table_names -%}
    select
        country as country_as_given,
        '{{ source_name }}.{{ table_name }}' as used_in
    from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }}
    where country is not null and reject_reason is null
    {{ 'union all' if not (last_source and loop.last) }}
    {% endfor -%}
    {% endfor %}
)

select
    'category' as kind,
    unmapped_categories.category_as_given as spelling,
    unmapped_categories.used_in,
    unmapped_categories.category_key as lookup_key,
    unmapped_categories.category as stands_for,
    coalesce(categories.is_sensitive, false) as is_sensitive,
    unmapped_categories.n_rows
from unmapped_categories
left join {{ ref('categories') }} as categories on unmapped_categories.category = categories.category
union all
select
    'country' as kind,
    country_spellings.country_as_given as spelling,
    country_spellings.used_in,
    lower(country_spellings.country_as_given) as lookup_key,
    cast(null as {{ dbt.type_string() }}) as stands_for,
    false as is_sensitive,
    count(*) as n_rows
from country_spellings
left join countries on lower(country_spellings.country_as_given) = countries.country_name
where countries.country_name is null
group by country_spellings.country_as_given, country_spellings.used_in
