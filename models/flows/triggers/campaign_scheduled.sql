-- Campaigns of the calendar, from midnight of their day by the customer's clock. They compete with flows under the same rules.
with campaigns as (
    select * from {{ ref('campaign_calendar') }}
    where sends_on between {{ days_before(as_of_day(), 2) }} and {{ days_after(as_of_day(), 1) }}
),

members as (
    select
        members.customer_id,
        campaigns.campaign,
        campaigns.label,
        campaigns.segment,
        campaigns.sends_on,
        {{ utc_time('cast(campaigns.sends_on as timestamp)', customer_zone('customers.time_zone')) }} as starts_at
    from campaigns
    inner join {{ ref('segment_memberships') }} as members on campaigns.segment = members.segment
    inner join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id
)

select
    customer_id,
    campaign as subject_id,
    label as subject_name,
    starts_at as happened_at,
    cast(null as decimal(18, 2)) as amount,
    'In segment ' || segment || ', to which ' || label || ' goes on ' || {{ day_text('sends_on') }} || '.' as reason
from members
where starts_at > {{ trigger_since() }} and starts_at <= {{ as_of() }}
