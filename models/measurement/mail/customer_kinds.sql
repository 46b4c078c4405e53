-- By what the programme's numbers are split. The arm is that of the running experiment on all marketing, if there is one.
with arms as (
    select
        customer_id,
        max(arm) as arm
    from {{ ref('experiment_members') }}
    where decides = 'marketing' and is_running
    group by customer_id
)

select
    customers.customer_id,
    stages.stage as lifecycle_stage,
    customers.mailbox_provider,
    tiers.tier as engagement_tier,
    arms.arm as holdout_arm
from {{ ref('customers') }} as customers
left join {{ ref('lifecycle_stages') }} as stages on customers.customer_id = stages.customer_id
left join {{ ref('engagement_tiers') }} as tiers on customers.customer_id = tiers.customer_id
left join arms on customers.customer_id = arms.customer_id
