{#
The lifecycle stage of somebody with so many orders, so many calendar days after the last one. The stages and their
days are var first_time_buyer_days and the three after it.
#}
{% macro lifecycle_stage(n_orders, days) -%}
    case
        when {{ n_orders }} = 0 then 'new_subscriber'
        when {{ days }} > {{ var('lapsed_days') }} then 'dormant'
        when {{ days }} > {{ var('at_risk_days') }} then 'lapsed'
        when {{ days }} > {{ var('active_days') }} then 'at_risk'
        when {{ n_orders }} > 1 then 'active'
        when {{ days }} > {{ var('first_time_buyer_days') }} then 'second_order_window'
        else 'first_time_buyer'
    end
{%- endmacro %}


{# The day of as_of(), as SQL. #}
{% macro as_of_day() -%}
    cast({{ as_of() }} as date)
{%- endmacro %}


{#
The segments as their YAML has them, from the dbt graph, ordered by kind and name: the models in the folders under
models/segments. Each is the model's config.meta with the segment's name, the kind (its folder) and the description.
The keys are described in the header of models/segments/_segments.yml. Empty while dbt parses.
#}
{% macro segment_entries() %}
    {%- set entries = [] -%}
    {%- if execute -%}
        {%- for model in graph.nodes.values() | sort(attribute='name') | sort(attribute='fqn')
            if model.resource_type == 'model' and model.package_name == 'mailroom'
                and model.fqn | length == 4 and model.fqn[1] == 'segments' -%}
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
