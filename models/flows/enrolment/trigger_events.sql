-- What every trigger in use returns. A trigger whose fields are too old for time-critical use is not fit: it starts no flow.
{%- set fields = [] -%}
{%- if execute -%}
{%- for trigger in entry_models('triggers') -%}
{%- for field in trigger.config.meta.rests_on -%}
{%- do fields.append({'trigger_name': trigger.name, 'model_name': field.split('.')[0], 'column_name': field.split('.')[1]}) -%}
{%- endfor -%}
{%- endfor -%}
{%- endif %}
with fields as (
    select * from {{ literal_rows({'trigger_name': 'string', 'model_name': 'string', 'column_name': 'string'}, fields) }}
),

unfit_triggers as (
    select
        fields.trigger_name,
        min(signals.model_name || '.' || signals.column_name || ': ' || signals.reason) as why_unfit
    from fields
    inner join {{ ref('signal_readiness') }} as signals
        on fields.model_name = signals.model_name and fields.column_name = signals.column_name
    where not signals.may_steer_time_critical
    group by fields.trigger_name
),

events as (
    {% for trigger in var('triggers') -%}
    select
        '{{ trigger }}' as trigger_name,
        customer_id,
        subject_id,
        subject_name,
        happened_at,
        reason
    from {{ ref(trigger) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    events.trigger_name,
    events.customer_id,
    events.subject_id,
    events.subject_name,
    events.happened_at,
    events.reason,
    unfit_triggers.why_unfit
from events
left join unfit_triggers on events.trigger_name = unfit_triggers.trigger_name
