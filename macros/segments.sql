{#
The last calendar day after an order on which somebody is in a stage (active, at_risk, lapsed): that of the shop, or with
var lifecycle_by_own_rhythm by their own usual time between orders, where there is one.
#}
{% macro stage_days(stage, usual_days) -%}
    {%- if var('lifecycle_by_own_rhythm') -%}
        {%- set shortest, longest = var('stage_rhythm_days') -%}
        {#- Not coalesce: to some engines the least of a number and null is the number. -#}
        case
            when {{ usual_days }} is null then {{ var(stage ~ '_days') }}
            else cast(floor({{ var('stage_rhythm_multiples')[stage] }} * greatest({{ shortest }}, least({{ longest }}, {{ usual_days }}))) as bigint)
        end
    {%- else -%}
        {{ var(stage ~ '_days') }}
    {%- endif -%}
{%- endmacro %}


{#
The lifecycle stage of somebody with so many orders, so many calendar days after the last one. The stages and their
days are var first_time_buyer_days and those after it; usual_days: their own usual time between orders, or null.
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
The segments as their YAML has them, from the dbt graph, ordered by kind and name: the models in the folders under
models/segments. Each is the model's config.meta with the segment's name, the kind (its folder) and the description.
The keys are described in the header of models/segments/_segments.yml. Empty while dbt parses.
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


{# The fields that segments rest on, a row each: {segment, model_name, column_name}. #}
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
SQL: the customers in a segment today, for tests. None as of a moment before the last record: what was recorded is
not wrong because an order came in late.
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
