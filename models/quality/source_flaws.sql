-- A row with several flawed columns counts once under each of their reasons.
-- Longer than 120 lines because a third of them choose the example and the words of one sentence.
with source_rows as (
    select
        source_name,
        table_name,
        n_rows
    from {{ ref('source_reconciliation') }}
    where outcome = 'in'
),

rejections as (
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
    from rejections
    where not is_kept
    union all
    select
        rejections.source_name,
        rejections.table_name,
        'blanked' as outcome,
        columns.column_name || ' ' || columns.flaw as reason,
        columns.column_name,
        rejections.row_key,
        rejections.refused_values
    from rejections
    inner join columns
        on
            rejections.source_name = columns.source_name
            and rejections.table_name = columns.table_name
            and ', ' || replace(rejections.reason, 'blanked: ', '') || ',' like '%, ' || columns.column_name || ',%'
    where rejections.is_kept
),

flaws_with_values as (
    select
        *,
        nullif({{ dbt.split_part(dbt.split_part("'; ' || refused_values", "'; ' || column_name || '='", 2), "'; '", 1) }}, '') as refused_value
    from flaws
),

-- The sentence is logged, so it shows no address, and letters only if the column has a list of words.
flaws_to_show as (
    select
        *,
        refused_value not like '%@%'
        and (reason like '%is not an accepted value' or upper(refused_value) = lower(refused_value)) as is_shown
    from flaws_with_values
),

examples as (
    select
        *,
        case when is_shown then refused_value end as example,
        case when is_shown then '1' else '0' end || coalesce(row_key, '') as place
    from flaws_to_show
),

flaw_counts as (
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
        flaw_counts.*,
        source_rows.n_rows as n_rows_in,
        flaw_counts.n_rows / cast(source_rows.n_rows as {{ double_type() }}) as row_share
    from flaw_counts
    inner join source_rows on flaw_counts.source_name = source_rows.source_name and flaw_counts.table_name = source_rows.table_name
    where source_rows.n_rows > 0
)

select
    source_name,
    table_name,
    outcome,
    reason,
    cast(n_rows as bigint) as n_rows,
    row_share,
    -- Sales at the till have no customer, however many there are.
    reason not like '%no person' and
    {%- if var('as_of') %}
    -- With a chosen as_of, later rows are meant to be left out.
    reason not like '% is after as_of' and reason not like '%not kept' and
    {%- endif %}
    -- Only unknown loses the meaning. Every other default is a careful reading of the word.
    (outcome <> 'unknown word' or reason like '% is taken for unknown') and
    -- Rows that the source system deleted may be most of a table. That is no flaw.
    {%- for what in ['', 'its order is ', 'its profile is '] %}
    reason not in {{ mark_reasons(what) }} and
    {%- endfor %}
    row_share > case when n_rows_in >= 20 then {{ var('max_flawed_share') }} else {{ [0.5, var('max_flawed_share')] | max }} end as is_too_many,
    source_name || '.' || table_name || ': ' || cast(n_rows as {{ dbt.type_string() }}) || ' of '
    || {{ counted('n_rows_in', 'row') }} || ' (' || {{ tenths_text('row_share') }} || ') '
    || case
        when outcome = 'blanked' then 'lost a value'
        when outcome = 'unknown word' then case when n_rows = 1 then 'has' else 'have' end || ' an unmapped word'
        when n_rows = 1 then 'is set aside'
        else 'are set aside'
    end
    || ': ' || reason
    || coalesce(', such as ' || example, '')
    || case when row_key not like '%@%' then ', in row ' || row_key else '' end || '. '
    || {{ cure_text('reason') }} as sentence
from shares
