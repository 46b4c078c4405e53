{#
Last calendar day after an order on which a customer is in a stage (active, at_risk, lapsed). Days are the shop's, or with
var lifecycle_by_own_rhythm multiples of the customer's own usual time between orders, if it is known.
#}
{% macro stage_days(stage, usual_days) -%}
    {%- if var('lifecycle_by_own_rhythm') -%}
        {%- set shortest, longest = var('stage_rhythm_days') -%}
        {#- No coalesce: on some engines the least of a number and null is the number. -#}
        case
            when {{ usual_days }} is null then {{ var(stage ~ '_days') }}
            else cast(floor({{ var('stage_rhythm_multiples')[stage] }} * greatest({{ shortest }}, least({{ longest }}, {{ usual_days }}))) as bigint)
        end
    {%- else -%}
        {{ var(stage ~ '_days') }}
    {%- endif -%}
{%- endmacro %}


{#
Lifecycle stage of a customer with `n_orders` orders, `days` calendar days after the last one. Thresholds are var
first_time_buyer_days and the vars after it. `usual_days` is the customer's usual time between orders, or null.
#}
{% macro lifecycle_stage(n_orders, days, usual_days) -%}
    case
        when {{ n_orders }} = 0 then 'never_purchased'
        when {{ days }} > {{ stage_days('lapsed', usual_days) }} then 'dormant'
        when {{ days }} > {{ stage_days('at_risk', usual_days) }} then 'lapsed'
        when {{ days }} > {{ stage_days('active', usual_days) }} then 'at_risk'
        when {{ n_orders }} > 1 then 'active'
        when {{ days }} > {{ var('first_time_buyer_days') }} then 'second_order_window'
        else 'first_time_buyer'
    end
{%- endmacro %}


{#
YAML entries of all segments, from the dbt graph, ordered by kind and name: the models in the folders under
models/segments. Each entry is the model's config.meta plus the segment's name, kind (its folder) and description. The
keys are described in the header of models/segments/_segments.yml. Empty while dbt parses.
#}
{% macro segment_entries() %}
    {%- set entries = [] -%}
    {%- if execute -%}
        {%- for model in entry_models('segments') -%}
            {%- set entry = dict(model.config.meta) -%}
            {%- do entry.update({
                'segment': model.name,
                'kind': model.fqn[2],
                'description': model.description,
                'min_expected_share': (model.config.meta.get('expected_share') or [none, none])[0],
                'max_expected_share': (model.config.meta.get('expected_share') or [none, none])[1]
            }) -%}
            {%- do entries.append(entry) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(entries) }}
{% endmacro %}


{# One row per segment and field that it rests on: {segment, model_name, column_name}. #}
{% macro segment_field_rows() %}
    {%- set rows = [] -%}
    {%- for entry in segment_entries() -%}
        {%- for field in entry.fields -%}
            {%- set model_name, column_name = field.split('.') -%}
            {%- do rows.append({'segment': entry.segment, 'model_name': model_name, 'column_name': column_name}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}


{#
SQL: members of the segments today, for tests. No rows as of a moment before the last record: a record is not wrong
because an order came in late.
#}
{% macro members_today(segments) -%}
    select
        memberships.customer_id,
        memberships.segment
    from {{ ref('segment_memberships') }} as memberships
    where
        memberships.segment in ('{{ segments | join("', '") }}')
        and {{ as_of() }} >= (select max(changes.changed_at) from {{ ref('segment_changes') }} as changes)
{%- endmacro %}
