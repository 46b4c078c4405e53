-- Spellings to review: those of categories that seed category_spellings does not have stand for themselves, and rows with a
-- country that seed country_names does not have have no country, and so no law, until it is added.
{% set tables = {'shop': ['customers', 'orders'], 'crm': ['contacts'], 'esp': ['profiles']} %}
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
),

countries as (
    select country_name from {{ ref('country_names') }}
),

country_spellings as (
    {% for source_name, names in tables.items() -%}
    {%- set last_source = loop.last -%}
    {% for name in names -%}
    select
        country as country_as_given,
        '{{ source_name }}.{{ name }}' as used_in
    from {{ ref('base_' ~ source_name ~ '__' ~ name) }}
    where country is not null and reject_reason is null
    {{ 'union all' if not (last_source and loop.last) }}
    {% endfor -%}
    {% endfor %}
)

select
    'category' as kind,
    unmapped.category_as_given as spelling,
    unmapped.used_in,
    unmapped.category_key as lookup_key,
    unmapped.category as stands_for,
    coalesce(categories.is_sensitive, false) as is_sensitive,
    unmapped.n_rows
from unmapped
left join {{ ref('categories') }} as categories on unmapped.category = categories.category
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
