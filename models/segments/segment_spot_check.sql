-- For manual review of twenty members per segment. The draw changes daily and is the same if the day is built again.
with memberships as (
    select
        *,
        row_number() over (
            partition by segment
            order by {{ dbt.hash('customer_id || segment || ' ~ day_text(as_of_day())) }}, customer_id
        ) as draw_number
    from {{ ref('segment_memberships') }}
),

customers as (
    select * from {{ ref('customers') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

tiers as (
    select * from {{ ref('engagement_tiers') }}
)

select
    memberships.segment,
    cast(memberships.draw_number as bigint) as draw_number,
    memberships.customer_id,
    memberships.since,
    memberships.reason,
    stages.sentence as stage_sentence,
    tiers.sentence as tier_sentence,
    customers.n_orders,
    customers.net_revenue,
    customers.first_seen_at,
    customers.last_ordered_at,
    customers.last_seen_at
from memberships
left join customers on memberships.customer_id = customers.customer_id
left join stages on memberships.customer_id = stages.customer_id
left join tiers on memberships.customer_id = tiers.customer_id
where memberships.draw_number <= 20
