-- Spellings that the seed country_names does not know: their rows have no country, and so no law, until they are added.
{% set tables = {'shop': ['customers', 'orders'], 'crm': ['contacts'], 'esp': ['profiles']} %}
with known as (
    select country_name from {{ ref('country_names') }}
),

spellings as (
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
    spellings.country_as_given,
    spellings.used_in,
    count(*) as n_rows
from spellings
left join known on lower(spellings.country_as_given) = known.country_name
where known.country_name is null
group by spellings.country_as_given, spellings.used_in
