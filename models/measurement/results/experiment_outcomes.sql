-- What each customer of an experiment did from the assignment on, and spent in the time before: as assigned, whether or not a message
-- reached the customer. Customers in two arms are left out.
{% set before = var('covariate_days') -%}
with members as (
    select
        members.experiment,
        members.customer_id,
        members.arm,
        members.lifecycle_stage,
        members.value_band,
        members.since_at,
        experiments.revenue_cap,
        least(
            {{ as_of() }},
            cast({{ date_add('day', 1, 'experiments.ends_on') }} as timestamp),
            coalesce({{ date_add('day', 'cast(experiments.window_days as integer)', 'members.since_at') }}, {{ as_of() }})
        ) as until_at
    from {{ ref('experiment_members') }} as members
    inner join {{ ref('experiments') }} as experiments on members.experiment = experiments.experiment
    inner join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id
    where not members.is_conflict and members.since_at <= {{ as_of() }}
),

orders as (
    select
        customer_id,
        ordered_at,
        net_revenue,
        net_revenue - cost_amount as margin,
        case when is_sale then 1 else 0 end as is_order
    from {{ ref('orders') }}
    where (is_sale or is_renewal) and ordered_at <= {{ as_of() }}
),

order_sums as (
    select
        members.experiment,
        members.customer_id,
        sum(case when orders.ordered_at <= members.since_at then orders.net_revenue end) as revenue_before,
        sum(case when orders.ordered_at > members.since_at then orders.net_revenue end) as net_revenue,
        sum(case when orders.ordered_at > members.since_at then orders.margin end) as margin,
        count(case when orders.ordered_at > members.since_at and orders.margin is null then 1 end) as n_without_cost,
        sum(case when orders.ordered_at > members.since_at then orders.is_order end) as n_orders,
        {% for days in [30, 60, 90] -%}
        sum(case
            when orders.ordered_at > members.since_at and orders.ordered_at <= {{ date_add('day', days, 'members.since_at') }}
                then orders.net_revenue
        end) as revenue_{{ days }}d{{ ',' if not loop.last }}
        {% endfor %}
    from members
    inner join orders
        on
            members.customer_id = orders.customer_id
            and orders.ordered_at > {{ date_add('day', -before, 'members.since_at') }}
            and orders.ordered_at <= members.until_at
    group by members.experiment, members.customer_id
),

email_events as (
    select
        customer_id,
        occurred_at,
        is_sending,
        event_type
    from {{ ref('email_events') }}
    where
        coalesce(message_class, 'promotional') <> 'transactional'
        and (is_sending or (event_type in ('clicked', 'unsubscribed', 'complained') and not coalesce(is_machine, false)))
        and occurred_at <= {{ as_of() }}
),

email_sums as (
    select
        members.experiment,
        members.customer_id,
        count(case when email_events.is_sending then 1 end) as n_emails,
        count(case when email_events.event_type = 'clicked' then 1 end) as n_clicks,
        count(case when email_events.event_type = 'unsubscribed' then 1 end) as n_unsubscribes,
        count(case when email_events.event_type = 'complained' then 1 end) as n_complaints
    from members
    inner join email_events
        on
            members.customer_id = email_events.customer_id
            and email_events.occurred_at > members.since_at
            and email_events.occurred_at <= members.until_at
    group by members.experiment, members.customer_id
)

select
    members.experiment,
    members.customer_id,
    members.arm,
    members.lifecycle_stage,
    members.value_band,
    members.since_at,
    members.until_at,
    cast(least(coalesce(order_sums.net_revenue, 0), coalesce(members.revenue_cap, 1000000000)) as {{ double_type() }}) as net_revenue,
    cast(case when coalesce(order_sums.n_without_cost, 0) = 0 then coalesce(order_sums.margin, 0) end as {{ double_type() }}) as margin,
    cast(coalesce(order_sums.n_orders, 0) as bigint) as n_orders,
    {% for days in [30, 60, 90] -%}
    -- Only of customers whose days are over.
    cast(
        case when {{ date_add('day', days, 'members.since_at') }} <= members.until_at then coalesce(order_sums.revenue_{{ days }}d, 0) end
        as {{ double_type() }}
    ) as revenue_{{ days }}d,
    {% endfor -%}
    cast(coalesce(email_sums.n_emails, 0) as bigint) as n_emails,
    cast(coalesce(email_sums.n_clicks, 0) as bigint) as n_clicks,
    cast(coalesce(email_sums.n_unsubscribes, 0) as bigint) as n_unsubscribes,
    cast(coalesce(email_sums.n_complaints, 0) as bigint) as n_complaints,
    cast(coalesce(order_sums.revenue_before, 0) as {{ double_type() }}) as revenue_before
from members
left join order_sums on members.experiment = order_sums.experiment and members.customer_id = order_sums.customer_id
left join email_sums on members.experiment = email_sums.experiment and members.customer_id = email_sums.customer_id
