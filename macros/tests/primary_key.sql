{#
Tests a table in one scan: empty or duplicate keys, required columns without a value, and values that are not accepted (compared
as text; empty is accepted). Returns each failing key, its number of rows, and what is wrong.
newest_days, dated_by: tests only the newest days of a table too large to scan in each build. Duplicate keys are found if their
rows have the same dated_by.
#}
{% test primary_key(model, columns, filled=[], accepted={}, newest_days=none, dated_by=none) %}
{%- set text = dbt.type_string() -%}
{%- set faults = [('count(*) > 1', "cast(count(*) as " ~ text ~ ") || ' rows have this key'")] -%}
{%- for column in columns -%}
    {%- do faults.append((column ~ ' is null', "'" ~ dbt.escape_single_quotes(column) ~ " is empty'")) -%}
{%- endfor -%}
{%- for column in filled -%}
    {%- do faults.append(('count(' ~ column ~ ') < count(*)', "'" ~ column ~ " is empty'")) -%}
{%- endfor -%}
{%- for column, values in accepted.items() -%}
    {%- set unaccepted_value -%}
        max(case when {{ column }} not in ('{{ values | join("', '") }}') then {{ column }} end)
    {%- endset -%}
    {%- do faults.append((unaccepted_value ~ ' is not null', "'" ~ column ~ " is ' || " ~ unaccepted_value)) -%}
{%- endfor -%}
{%- set fault_texts = [] -%}
{%- for fault, text_of_fault in faults -%}{%- do fault_texts.append('case when ' ~ fault ~ ' then ' ~ text_of_fault ~ ' end') -%}{%- endfor -%}
select
    {{ columns | join(', ') }},
    count(*) as n_rows,
    {{ joined('; ', fault_texts) }} as faults
from {{ model }}
{%- if newest_days %}
where cast({{ dated_by }} as timestamp) >= {{ date_add('day', -newest_days, as_of()) }}
{%- endif %}
group by {{ columns | join(', ') }}
having {{ faults | map('first') | join(' or ') }}
{% endtest %}
