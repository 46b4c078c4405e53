-- Read from the dbt graph, so it always matches the YAML of the triggers. Rebuilt whenever a trigger is:
{% for trigger in var('triggers') -%}
-- depends_on: {{ ref(trigger) }}
{% endfor -%}
{%- set columns = {
    'flow': 'string', 'label': 'string', 'description': 'string', 'owner': 'string', 'expires_on': 'date', 'trigger_name': 'string',
    'subject': 'string', 'trigger_hours': 'bigint', 'message_class': 'string', 'purpose': 'string', 'priority': 'bigint',
    'is_abandon': 'boolean', 'reentry': 'string', 'reentry_days': 'bigint', 'exits': 'string', 'send_at': 'string',
    'shelf_life_hours': 'bigint', 'entry_hours': 'bigint', 'cap_messages': 'bigint', 'cap_days': 'bigint', 'holdout_share': 'double', 'n_steps': 'bigint', 'receiving_because': 'string', 'rests_on': 'string',
} %}
{%- set entries, fields = [], [] -%}
{%- for entry in flow_entries() -%}
{%- do entries.append(dict(entry, expires_on=entry.expires_on | string)) -%}
{%- for field in entry.rests_on -%}
{%- do fields.append({'flow': entry.flow, 'model_name': field.split('.')[0], 'column_name': field.split('.')[1]}) -%}
{%- endfor -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows(columns, entries) }}
),

fields as (
    select * from {{ literal_rows({'flow': 'string', 'model_name': 'string', 'column_name': 'string'}, fields) }}
),

refused_fields as (
    select
        fields.flow,
        min('Its trigger rests on ' || fields.model_name || '.' || fields.column_name || '. ' || signals.reason) as paused_because
    from fields
    inner join {{ ref('signal_readiness') }} as signals
        on fields.model_name = signals.model_name and fields.column_name = signals.column_name
    where not signals.may_steer_time_critical
    group by fields.flow
)

select
    {% for column, data_type in columns.items() -%}
    cast({{ 'coalesce(entries.is_abandon, false)' if column == 'is_abandon' else 'entries.' ~ column }} as {{ sql_type(data_type) }}) as {{ column }},
    {% endfor -%}
    case
        when cast(entries.expires_on as date) < {{ as_of_day() }} then 'The flow expired on ' || {{ day_text('entries.expires_on') }} || '.'
        else refused_fields.paused_because
    end as paused_because
from entries
left join refused_fields on entries.flow = refused_fields.flow
where entries.flow is not null
