{#
Rows whose key is empty or that share it. One query however many columns the key has.
newest_days, dated_by: for a table too large to go through at each build, test only its newest days; of two rows with
one key both are found where they carry the same dated_by.
#}
{% test primary_key(model, columns, newest_days=none, dated_by=none) %}
select
    {{ columns | join(', ') }},
    count(*) as n_rows
from {{ model }}
{%- if newest_days %}
where cast({{ dated_by }} as timestamp) >= {{ dbt.dateadd('day', -newest_days, as_of()) }}
{%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{% endtest %}
