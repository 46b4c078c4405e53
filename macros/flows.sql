{#
All flows, {flow, trigger_name, …}, in the order of their triggers in var triggers, from the entries of models/flows/triggers. The
keys are described at the head of _triggers.yml. Empty while dbt parses.
#}
{% macro flow_entries() %}
    {%- set entries = [] -%}
    {%- if execute -%}
        {%- for trigger in entry_models('triggers') -%}
            {%- set meta = trigger.config.meta -%}
            {%- for name, flow in (meta.get('flows') or {}).items() -%}
                {%- set reentry = flow.get('reentry') -%}
                {%- do entries.append(dict(
                    flow, flow=name, trigger_name=trigger.name, subject=meta.subject, trigger_hours=meta.trigger_hours,
                    rests_on=meta.rests_on, description=trigger.description, n_steps=flow.steps | length,
                    cap_messages=(flow.get('cap') or {}).get('messages'), cap_days=(flow.get('cap') or {}).get('days'),
                    reentry='after_days' if reentry is number else reentry, exits=flow.get('exits') or none,
                    entry_hours=flow.steps[0].hours + flow.shelf_life_hours + (24 if flow.send_at == 'own_hour' else 0), reentry_days=reentry if reentry is number else none
                )) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(entries) }}
{% endmacro %}


{# The steps of all flows: {flow, step, step_number, after, hours, slot, only_if, has_offer}. #}
{% macro flow_steps() %}
    {%- set steps = [] -%}
    {%- for flow in flow_entries() -%}
        {%- for step in flow.steps -%}
            {%- do steps.append(dict(
                step, flow=flow.flow, step_number=loop.index, after_step=step.after, delay_hours=step.hours, has_offer=step.get('offer', false)
            )) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(steps) }}
{% endmacro %}


{# A condition of a step (only_if) on columns of customers, as SQL: {n_orders: {at_most: 0}}. Several must all hold. #}
{% macro step_condition(only_if, alias) -%}
    {%- set operators = {'is': '=', 'is_not': '<>', 'at_least': '>=', 'at_most': '<='} -%}
    {%- set conditions = [] -%}
    {%- for column, checks in (only_if or {}).items() -%}
        {%- for check, value in checks.items() -%}
            {%- do conditions.append(alias ~ '.' ~ column ~ ' ' ~ operators[check] ~ ' ' ~ entry_literal(value)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return('coalesce(' ~ conditions | join(' and ') ~ ', false)' if conditions else 'true') }}
{%- endmacro %}


{# The oldest moment at which a trigger may have happened: its trigger_hours before as_of(). #}
{% macro trigger_since() -%}
    {{ date_add('hour', -(model.config.meta.trigger_hours or 1), as_of()) }}
{%- endmacro %}


{# The same condition in words. #}
{% macro step_condition_text(only_if) -%}
    {%- set operators = {'is': 'is', 'is_not': 'is not', 'at_least': 'of at least', 'at_most': 'of at most'} -%}
    {%- set conditions = [] -%}
    {%- for column, checks in only_if.items() -%}
        {%- for check, value in checks.items() -%}{%- do conditions.append(column ~ ' ' ~ operators[check] ~ ' ' ~ value) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(conditions | join(' and ')) }}
{%- endmacro %}


{# Days of decisions that a build reads: the longest flow with each step as late as it may be, and at least the window of caps. #}
{% macro decision_days() %}
    {%- set days = [35] -%}
    {%- for flow in flow_entries() -%}
        {%- set hours = flow.steps | map(attribute='hours') | sum + flow.n_steps * (flow.shelf_life_hours + 24) -%}
        {%- do days.append(hours // 24 + 2) -%}
        {%- do days.append((flow.cap_days or 0) + 1) -%}
    {%- endfor -%}
    {{ return(days | max) }}
{% endmacro %}


{# The destination that sends messages: var esp_destination, or the only destination, else none. #}
{% macro message_destination() %}
    {%- set destinations = var('destinations').keys() | list -%}
    {{ return(var('esp_destination') or (destinations[0] if destinations | length == 1)) }}
{% endmacro %}


{# The zone by which a customer gets mail: their own, or the shop's if it is not known. #}
{% macro customer_zone(time_zone) -%}
    coalesce({{ time_zone }}, '{{ var("time_zone") }}')
{%- endmacro %}


{#
The value of the header Feedback-ID (Gmail): what Postmaster Tools report complaints by. Colons separate its parts, and no part may occur
twice, so each but the sender begins with what it is.
#}
{% macro feedback_id(slot, flow, engagement_tier) -%}
    {%- set sender = var('feedback_sender') -%}
    {%- if not modules.re.match('^[A-Za-z0-9_-]{5,15}$', sender) -%}
        {{ exceptions.raise_compiler_error('Var feedback_sender is ' ~ sender ~ ': it takes 5 to 15 letters, digits, - or _.') }}
    {%- endif -%}
    'slot-' || {{ slot }} || ':flow-' || {{ flow }} || ':tier-' || {{ engagement_tier }} || ':{{ sender }}'
{%- endmacro %}
