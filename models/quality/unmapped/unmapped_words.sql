{% set flawed_models = {'web.events': 'base_web__flawed_events', 'esp.message_events': 'base_esp__flawed_message_events'} %}
{% set bases = {} %}
{% for source_name, table_name in contract_tables() %}
{% set table = source_name ~ '.' ~ table_name %}
{% do bases.update({table: ref(flawed_models.get(table, 'base_' ~ source_name ~ '__' ~ table_name))}) %}
{% endfor %}
{% set columns = worded_columns() %}
with unmapped_occurrences as (
    {% for source_name, table_name, column_name in columns -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        '{{ column_name }}' as column_name,
        {{ dbt.split_part(dbt.split_part("'; ' || unmapped_words", "'; " ~ column_name ~ "='", 2), "'; '", 1) }} as word_as_given,
        case
            when reject_reason like '{{ column_name }} is %' then 'nothing: its row is set aside'
            -- Only consent columns keep unmapped words, and there each counts as an opt-out.
            when '; ' || unmapped_words like '%; {{ column_name }}=' || cast({{ column_name }} as {{ dbt.type_string() }}) || '%' then 'opt-out'
            else coalesce(cast({{ column_name }} as {{ dbt.type_string() }}), 'nothing')
        end as taken_for
    from {{ bases[source_name ~ '.' ~ table_name] }}
    where '; ' || unmapped_words like '%; {{ column_name }}=%'
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- An address in the wrong column must not be shown.
masked_words as (
    select
        source_name,
        table_name,
        column_name,
        case when word_as_given like '%@%' then 'an e-mail address' else word_as_given end as word_as_given,
        case when taken_for like '%@%' then 'an e-mail address' else taken_for end as taken_for
    from unmapped_occurrences
)

select
    source_name,
    table_name,
    column_name,
    word_as_given,
    taken_for,
    cast(count(*) as bigint) as n_rows
from masked_words
group by source_name, table_name, column_name, word_as_given, taken_for
