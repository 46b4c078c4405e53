-- How many marketing messages each mailbox provider may still get today while the sender warms up.
with plan as (
    select * from {{ ref('warm_up_plan') }}
    where planned_on = {{ as_of_day() }}
),

sent as (
    select
        customers.mailbox_provider,
        count(*) as n_sent
    from {{ ref('sent_messages') }} as messages
    inner join {{ ref('customers') }} as customers on messages.customer_id = customers.customer_id
    where messages.is_counted and {{ day_of('messages.sent_at') }} = {{ as_of_day() }}
    group by customers.mailbox_provider
)

select
    plan.mailbox_provider,
    plan.ceiling,
    greatest(plan.ceiling - coalesce(sent.n_sent, 0), 0) as n_left,
    plan.leaves_out_unengaged
from plan
left join sent on plan.mailbox_provider = sent.mailbox_provider
