-- Read from var experiments and from the flows' holdouts.
{%- set columns = {
    'experiment': 'string', 'label': 'string', 'owner': 'string', 'decides': 'string', 'population': 'string', 'arms': 'string',
    'control': 'string', 'holdout_arm': 'string', 'measure': 'string', 'guardrails': 'string', 'minimum_lift': 'double',
    'planned_customers': 'bigint', 'window_days': 'bigint', 'revenue_cap': 'double', 'starts_on': 'date', 'ends_on': 'date',
} -%}
{%- set entries = [] -%}
{%- for entry in experiment_entries() -%}
{%- set shares = [] -%}
{%- for arm, share in entry.arms.items() -%}{%- do shares.append(arm ~ ' ' ~ percentage_text(share)) -%}{%- endfor -%}
{%- do entries.append(dict(entry, arms=shares | join(', '), guardrails=entry.guardrails | join(', '))) -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows(columns, entries) }}
)

select
    {% for column, data_type in columns.items() -%}
    cast({{ column }} as {{ sql_type(data_type) }}) as {{ column }},
    {% endfor -%}
    coalesce(cast(starts_on as date) <= {{ as_of_day() }}, true) and cast(ends_on as date) >= {{ as_of_day() }} as is_running
from entries
where experiment is not null
