-- Read from the dbt graph, so it always matches the YAML of the triggers. Rebuilt whenever the trigger events are:
-- depends_on: {{ ref('trigger_events') }}
{%- set columns = {
    'flow': 'string', 'label': 'string', 'description': 'string', 'owner': 'string', 'expires_on': 'date', 'trigger_name': 'string',
    'subject': 'string', 'trigger_hours': 'bigint', 'message_class': 'string', 'purpose': 'string', 'priority': 'bigint',
    'is_abandon': 'boolean', 'reentry': 'string', 'reentry_days': 'bigint', 'exits': 'string', 'send_at': 'string',
    'shelf_life_hours': 'bigint', 'holdout_share': 'double', 'n_steps': 'bigint', 'receiving_because': 'string', 'rests_on': 'string',
} %}
{%- set entries = [] -%}
{%- for entry in flow_entries() -%}{%- do entries.append(dict(entry, expires_on=entry.expires_on | string)) -%}{%- endfor %}
with entries as (
    select * from {{ literal_rows(columns, entries) }}
)

select
    {% for column, data_type in columns.items() -%}
    cast({{ 'coalesce(is_abandon, false)' if column == 'is_abandon' else column }} as {{ sql_type(data_type) }}) as {{ column }}{{ ',' if not loop.last }}
    {% endfor %}
from entries
where flow is not null
