{#
A table's rules, in one scan: rows whose key is empty or that share it, columns that must be filled and are not, values
that are none of those accepted (as text; an empty one is). What fails: each faulty key, its rows, and what is wrong.
newest_days, dated_by: for a table too large to go through at each build, test only its newest days; of two rows with
one key both are found where they carry the same dated_by.
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
    {%- set odd -%}
        max(case when {{ column }} not in ('{{ values | join("', '") }}') then {{ column }} end)
    {%- endset -%}
    {%- do faults.append((odd ~ ' is not null', "'" ~ column ~ " is ' || " ~ odd)) -%}
{%- endfor -%}
{%- set found = [] -%}
{%- for fault, words in faults -%}{%- do found.append('case when ' ~ fault ~ ' then ' ~ words ~ ' end') -%}{%- endfor -%}
select
    {{ columns | join(', ') }},
    count(*) as n_rows,
    {{ joined('; ', found) }} as faults
from {{ model }}
{%- if newest_days %}
where cast({{ dated_by }} as timestamp) >= {{ dbt.dateadd('day', -newest_days, as_of()) }}
{%- endif %}
group by {{ columns | join(', ') }}
having {{ faults | map('first') | join(' or ') }}
{% endtest %}
