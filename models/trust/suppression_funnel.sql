-- How many customers each rule keeps from promotional mail: alone, as the only rule, and in order. Each build adds its rows.
{{ config(materialized='incremental', incremental_strategy='replace_moment', event_time='measured_at', full_refresh=false) }}
{% set rules = var('suppression_rules') %}
with promotional_suppressions as (
    select * from {{ ref('suppressions') }} where scope in ('{{ message_classes().promotional | join("', '") }}')
),

customer_rules as (
    select
        customer_id,
        count(*) as n_rules,
        min(rule_number) as first_rule_number
    from promotional_suppressions
    group by customer_id
),

rules as (
    {% for rule in rules -%}
    select
        {{ loop.index }} as rule_number,
        '{{ rule }}' as rule
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

customers as (
    select count(*) as n_customers from {{ ref('customers') }}
),

rule_totals as (
    select
        rule_number,
        count(*) as n_suppressed
    from {{ ref('suppressions') }}
    group by rule_number
),

rule_counts as (
    select
        promotional_suppressions.rule_number,
        count(case when customer_rules.n_rules = 1 then 1 end) as n_only,
        count(case when customer_rules.first_rule_number = promotional_suppressions.rule_number then 1 end) as n_removed
    from promotional_suppressions
    inner join customer_rules on promotional_suppressions.customer_id = customer_rules.customer_id
    group by promotional_suppressions.rule_number
)

select
    {{ as_of() }} as measured_at,
    rules.rule,
    cast(rules.rule_number as bigint) as rule_number,
    cast(customers.n_customers as bigint) as n_customers,
    cast(coalesce(rule_totals.n_suppressed, 0) as bigint) as n_suppressed,
    cast(coalesce(rule_counts.n_only, 0) as bigint) as n_only,
    cast(coalesce(rule_counts.n_removed, 0) as bigint) as n_removed,
    cast(
        customers.n_customers - sum(coalesce(rule_counts.n_removed, 0)) over (
            order by rules.rule_number rows between unbounded preceding and current row
        ) as bigint
    ) as n_left
from rules
cross join customers
left join rule_totals on rules.rule_number = rule_totals.rule_number
left join rule_counts on rules.rule_number = rule_counts.rule_number
