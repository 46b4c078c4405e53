-- Weekly: how many customers moved between which stages in the last 7 days, and what is their revenue? Needs no history.
select
    stages.previous_stage as from_stage,
    stages.stage as to_stage,
    count(*) as n_customers,
    sum(customers.revenue_365d) as revenue_365d,
    min(stages.sentence) as for_example
from {{ ref('lifecycle_stages') }} as stages
inner join {{ ref('customers') }} as customers on stages.customer_id = customers.customer_id
where stages.since > cast({{ date_add('day', -7, as_of()) }} as date)
group by stages.previous_stage, stages.stage
order by n_customers desc, to_stage, from_stage
