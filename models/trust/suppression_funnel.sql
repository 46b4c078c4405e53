-- What each rule keeps from promotional mail: alone, as the only one, and in their order. Every moment of a build keeps its rows.
{{ config(materialized='incremental', incremental_strategy='replace_moment', event_time='measured_at', full_refresh=false) }}
{% set rules = var('suppression_rules') %}
with blocks as (
    select * from {{ ref('suppressions') }} where scope in ('{{ message_classes().promotional | join("', '") }}')
),

by_customer as (
    select
        customer_id,
        count(*) as n_rules,
        min(rule_number) as first_rule_number
    from blocks
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

suppressed as (
    select
        rule_number,
        count(*) as n_suppressed
    from {{ ref('suppressions') }}
    group by rule_number
),

counted as (
    select
        blocks.rule_number,
        count(case when by_customer.n_rules = 1 then 1 end) as n_only,
        count(case when by_customer.first_rule_number = blocks.rule_number then 1 end) as n_removed
    from blocks
    inner join by_customer on blocks.customer_id = by_customer.customer_id
    group by blocks.rule_number
)

select
    {{ as_of() }} as measured_at,
    rules.rule,
    cast(rules.rule_number as bigint) as rule_number,
    cast(customers.n_customers as bigint) as n_customers,
    cast(coalesce(suppressed.n_suppressed, 0) as bigint) as n_suppressed,
    cast(coalesce(counted.n_only, 0) as bigint) as n_only,
    cast(coalesce(counted.n_removed, 0) as bigint) as n_removed,
    cast(
        customers.n_customers - sum(coalesce(counted.n_removed, 0)) over (
            order by rules.rule_number rows between unbounded preceding and current row
        ) as bigint
    ) as n_left
from rules
cross join customers
left join suppressed on rules.rule_number = suppressed.rule_number
left join counted on rules.rule_number = counted.rule_number
