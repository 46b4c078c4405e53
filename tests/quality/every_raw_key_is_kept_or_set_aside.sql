-- Each key of a raw table is kept or set aside as often as it was read, so that two errors of equal size do not cancel out.
-- Events are too many to compare one by one: every_raw_row_is_kept_or_set_aside counts them.
{% set tables = [] %}
{% for table in contract_tables() if table not in [('web', 'events'), ('esp', 'message_events')] %}{% do tables.append(table) %}{% endfor %}

with differences as (
    {% for source_name, table_name in tables -%}
    {%- set key = contract_key(source_name, table_name) if execute else '1' -%}
    select
        '{{ source_name }}.{{ table_name }}' as table_name,
        row_key,
        sum(n_in) as n_missing
    from (
        select
            {{ raw_value(source_name, table_name, key) if execute else 1 }} as row_key,
            1 as n_in
        from {{ raw(source_name, table_name) }} as raw_rows
        union all
        select
            {{ kept_key(source_name, table_name) if execute else 1 }} as row_key,
            -1 as n_in
        {{ kept_rows(source_name, table_name) }}
        union all
        select
            {{ key }} as row_key,
            -1 as n_in
        from {{ ref('base_' ~ source_name ~ '__' ~ ('rated_orders' if table_name == 'orders' else table_name)) }}
        where reject_reason is not null
        union all
        -- Rows that a floor above staging set aside.
        select
            row_key,
            -1 as n_in
        from {{ ref('rejected_rows') }}
        where
            source_name = '{{ source_name }}'
            and table_name = '{{ table_name }}'
            and (reason like 'its %' or reason like 'it is %' or reason like 'neither its %')
        union all
        select
            row_key,
            -n_rows as n_in
        from {{ ref('erased_rows') }}
        where source_name = '{{ source_name }}' and table_name = '{{ table_name }}'
    ) as rows_by_key
    group by row_key
    having sum(n_in) <> 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Some keys are addresses, which a log must not show.
key_counts as (
    select
        table_name,
        case when n_missing > 0 then 'read more often than kept or set aside' else 'kept or set aside more often than read' end as difference,
        count(*) as n_keys,
        max(case when row_key not like '%@%' then row_key end) as example
    from differences
    group by 1, 2
)

select
    table_name || ': ' || {{ counted('n_keys', 'key') }} || ' ' || difference || coalesce(', such as ' || example, '')
    || '. The source may have changed during the build. Build again.' as sentence
from key_counts
