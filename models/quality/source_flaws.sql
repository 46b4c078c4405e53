-- What is wrong with a source, counted by reason: a row may be in several columns' counts.
with came_in as (
    select
        source_name,
        table_name,
        n_rows
    from {{ ref('source_reconciliation') }}
    where outcome = 'in'
),

flawed as (
    select * from {{ ref('rejected_rows') }}
),

columns as (
    {% for source_name, table_name in contract_tables() if execute -%}
    {%- set table_loop = loop -%}
    {%- for column in contract_columns(source_name, table_name) -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        '{{ column.name }}' as column_name,
        '{{ flaw_text(column) }}' as flaw
    {{ 'union all' if not (loop.last and table_loop.last) }}
    {% endfor -%}
    {% endfor -%}
    {%- if not execute %}select 1{% endif %}
),

flaws as (
    select
        source_name,
        table_name,
        'set aside' as outcome,
        reason,
        {{ dbt.split_part('reason', "' '", 1) }} as column_name,
        row_key,
        refused_values
    from flawed
    where not is_kept
    union all
    select
        flawed.source_name,
        flawed.table_name,
        'blanked' as outcome,
        columns.column_name || ' ' || columns.flaw as reason,
        columns.column_name,
        flawed.row_key,
        flawed.refused_values
    from flawed
    inner join columns
        on
            flawed.source_name = columns.source_name
            and flawed.table_name = columns.table_name
            and ', ' || replace(flawed.reason, 'blanked: ', '') || ',' like '%, ' || columns.column_name || ',%'
    where flawed.is_kept
),

refused as (
    select
        *,
        nullif({{ dbt.split_part(dbt.split_part("'; ' || refused_values", "'; ' || column_name || '='", 2), "'; '", 1) }}, '') as given
    from flaws
),

-- The sentence stands in logs: it shows no address, and letters only where a column has a list of words.
judged as (
    select
        *,
        given not like '%@%' and (reason like '%is not an accepted value' or upper(given) = lower(given)) as is_shown
    from refused
),

examples as (
    select
        *,
        case when is_shown then given end as example,
        case when is_shown then '1' else '0' end || coalesce(row_key, '') as place
    from judged
),

counted as (
    select
        source_name,
        table_name,
        outcome,
        reason,
        count(*) as n_rows,
        {{ value_at_max('row_key', 'place') }} as row_key,
        {{ value_at_max('example', 'place') }} as example
    from examples
    group by source_name, table_name, outcome, reason
    union all
    select
        source_name,
        table_name,
        'unknown word' as outcome,
        column_name || ' is taken for ' || taken_for as reason,
        sum(n_rows) as n_rows,
        cast(null as {{ dbt.type_string() }}) as row_key,
        {{ value_at_max('word_as_given', 'n_rows') }} as example
    from {{ ref('unmapped_words') }}
    where taken_for not like 'nothing%'
    group by source_name, table_name, column_name, taken_for
),

shares as (
    select
        counted.*,
        came_in.n_rows as n_rows_in,
        counted.n_rows / cast(came_in.n_rows as {{ dbt.type_float() }}) as row_share
    from counted
    inner join came_in on counted.source_name = came_in.source_name and counted.table_name = came_in.table_name
    where came_in.n_rows > 0
)

select
    source_name,
    table_name,
    outcome,
    reason,
    cast(n_rows as bigint) as n_rows,
    row_share,
    -- A shop may sell as much as it likes at its till.
    reason not like '%no person' and
    {%- if var('as_of') %}
    -- Of a moment that somebody chose, what came later is left out as it should be.
    reason not like '% is after as_of' and reason not like '%not kept' and
    {%- endif %}
    -- What is unknown is lost; every other word that stands for one has a meaning, if a careful one.
    (outcome <> 'unknown word' or reason like '% is taken for unknown') and
    -- What its system has deleted may be most of a table, and is no flaw.
    {%- for what in ['', 'its order is ', 'its profile is '] %}
    reason not in {{ mark_reasons(what) }} and
    {%- endfor %}
    row_share > case when n_rows_in >= 20 then {{ var('max_flawed_share') }} else {{ [0.5, var('max_flawed_share')] | max }} end as is_too_many,
    source_name || '.' || table_name || ': ' || cast(n_rows as {{ dbt.type_string() }}) || ' of '
    || {{ counted('n_rows_in', 'row') }} || ' (' || {{ tenths_text('row_share') }} || ') '
    || case
        when outcome = 'blanked' then 'lost a value'
        when outcome = 'unknown word' then case when n_rows = 1 then 'has' else 'have' end || ' a word that no list knows'
        when n_rows = 1 then 'is set aside'
        else 'are set aside'
    end
    || ': ' || reason
    || coalesce(', such as ' || example, '')
    || case when row_key not like '%@%' then ', in row ' || row_key else '' end || '. '
    || {{ cure_text('reason') }} as sentence
from shares
