{#
All experiments, from var experiments and from the holdouts of flows, as {experiment, label, owner, decides, population, salt, control,
holdout_arm, measure, guardrails, minimum_lift, planned_customers, window_days, revenue_cap, starts_on, ends_on, arms, is_of_flow}. The
keys are described at var experiments. Empty while dbt parses.
#}
{% macro experiment_entries() %}
    {%- set entries = [] -%}
    {%- for name, entry in var('experiments').items() -%}
        {%- do entries.append(dict({
            'population': 'everyone', 'salt': name, 'holdout_arm': none, 'guardrails': ['unsubscribed', 'complained'],
            'planned_customers': 5000, 'window_days': none, 'revenue_cap': none,
        }, **dict(entry, experiment=name, is_of_flow=false, starts_on=entry.starts_on | string, ends_on=entry.ends_on | string))) -%}
    {%- endfor -%}
    {%- for flow in flow_entries() if flow.get('holdout_share', 0) > 0 -%}
        {%- do entries.append({
            'experiment': 'flow:' ~ flow.flow, 'label': flow.label, 'owner': flow.owner, 'decides': 'flow:' ~ flow.flow,
            'population': 'enrolled', 'salt': 'holdout:' ~ flow.flow, 'control': 'held_out', 'holdout_arm': 'held_out',
            'measure': 'net_revenue', 'guardrails': ['unsubscribed', 'complained'], 'minimum_lift': var('flow_minimum_lift'),
            'planned_customers': 5000, 'window_days': var('flow_window_days'), 'revenue_cap': none, 'starts_on': none,
            'ends_on': flow.expires_on | string, 'is_of_flow': true,
            'arms': {'held_out': flow.holdout_share, 'mailed': 1 - flow.holdout_share},
        }) -%}
    {%- endfor -%}
    {{ return(entries) }}
{% endmacro %}


{#
The arms of each stage of the experiments of var experiments: {experiment, salt, stage_on, arm, arm_number, share, is_rest, low, high}.
A customer is in the arm whose low is at most and whose high is above the first 8 hexadecimal digits of md5(salt:customer_id). The arms
stand in their order, so a first arm that grows keeps its customers.
#}
{% macro experiment_arms() %}
    {%- set rows = [] -%}
    {%- for entry in experiment_entries() if not entry.is_of_flow -%}
        {%- set first_stage = [{'from': entry.starts_on, 'arms': entry.arms}] -%}
        {%- for stage in first_stage + entry.get('stages', []) -%}
            {%- set place = namespace(start=0.0) -%}
            {%- for arm, share in stage.arms.items() -%}
                {%- set end = place.start + share -%}
                {%- do rows.append({
                    'experiment': entry.experiment, 'salt': entry.salt, 'stage_on': stage['from'] | string, 'arm': arm,
                    'arm_number': loop.index, 'share': share, 'is_rest': loop.last, 'low': share_digits(place.start),
                    'high': 'g' if loop.last else share_digits(end)
                }) -%}
                {%- set place.start = end -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}


{#
The measures of experiments, each of one customer from the assignment to the end of its window: {measure, y, x, where, kind}. kind: mean
of y, with spend before the assignment as covariate x; or ratio, of the sums of y and x. where: the customers it is about.
#}
{% macro experiment_measures() %}
    {%- set spend = 'revenue_before' -%}
    {{ return([
        {'measure': 'net_revenue', 'kind': 'mean', 'y': 'net_revenue', 'x': spend, 'where': none},
        {'measure': 'ordered', 'kind': 'mean', 'y': 'case when n_orders > 0 then 1 else 0 end', 'x': spend, 'where': none},
        {'measure': 'n_orders', 'kind': 'mean', 'y': 'n_orders', 'x': spend, 'where': none},
        {'measure': 'reordered', 'kind': 'mean', 'y': 'case when n_orders > 1 then 1 else 0 end', 'x': spend, 'where': none},
        {'measure': 'margin', 'kind': 'mean', 'y': 'margin', 'x': spend, 'where': 'margin is not null'},
        {'measure': 'revenue_30d', 'kind': 'mean', 'y': 'revenue_30d', 'x': spend, 'where': 'revenue_30d is not null'},
        {'measure': 'revenue_60d', 'kind': 'mean', 'y': 'revenue_60d', 'x': spend, 'where': 'revenue_60d is not null'},
        {'measure': 'revenue_90d', 'kind': 'mean', 'y': 'revenue_90d', 'x': spend, 'where': 'revenue_90d is not null'},
        {'measure': 'clicked', 'kind': 'mean', 'y': 'case when n_clicks > 0 then 1 else 0 end', 'x': spend, 'where': none},
        {'measure': 'unsubscribed', 'kind': 'mean', 'y': 'case when n_unsubscribes > 0 then 1 else 0 end', 'x': '0', 'where': none},
        {'measure': 'complained', 'kind': 'mean', 'y': 'case when n_complaints > 0 then 1 else 0 end', 'x': '0', 'where': none},
        {'measure': 'clicks_per_email', 'kind': 'ratio', 'y': 'n_clicks', 'x': 'n_emails', 'where': none},
        {'measure': 'revenue_per_email', 'kind': 'ratio', 'y': 'net_revenue', 'x': 'n_emails', 'where': none},
        {'measure': 'average_order_value', 'kind': 'ratio', 'y': 'net_revenue', 'x': 'n_orders', 'where': none},
    ]) }}
{% endmacro %}


{# The arms of flows' holdouts: {experiment, arm, share}. #}
{% macro experiment_flow_arms() %}
    {%- set rows = [] -%}
    {%- for entry in experiment_entries() if entry.is_of_flow -%}
        {%- for arm, share in entry.arms.items() -%}
            {%- do rows.append({'experiment': entry.experiment, 'arm': arm, 'stage_on': none, 'share': share}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}
