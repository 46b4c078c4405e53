{{ config(materialized='view') }}
-- Orders, refunds, tickets and bounces by customer and day. An order may be cancelled, returned or attributed to another
-- customer at any age, and a bounce may be reported at any age. Each build therefore counts all days again. The table is small.
with orders_by_day as (
    select
        customer_id,
        {{ day_of('ordered_at') }} as activity_on,
        count(case when not coalesce(is_renewal, false) then 1 end) as n_orders,
        sum(n_units) as n_units,
        sum(net_amount) as revenue,
        sum(discount_amount) as discount_amount,
        max(days_since_previous_order) as days_since_previous_order
    from {{ ref('orders') }}
    where is_sale
    group by 1, 2
),

refunds_by_day as (
    select
        customer_id,
        {{ day_of('refunded_at') }} as activity_on,
        count(case when not is_head then 1 end) as n_refunds,
        sum(returned_amount) as returned_amount
    from {{ ref('refunds') }}
    where is_sale
    group by 1, 2
),

tickets_by_day as (
    select
        customer_id,
        {{ day_of('created_at') }} as activity_on,
        count(*) as n_tickets
    from {{ ref('customer_tickets') }}
    group by 1, 2
),

bounces_by_day as (
    select
        profiles.customer_id,
        days.activity_on,
        sum(days.n_bounces) as n_bounces,
        sum(days.n_emails_only_bounced) as n_emails_only_bounced
    from {{ ref('stg_esp__refusal_days') }} as days
    inner join {{ ref('record_customers') }} as profiles
        on profiles.record_type = 'esp_profile' and days.profile_id = profiles.record_id
    where days.n_bounces > 0
    group by 1, 2
)

select
    customer_id,
    activity_on,
    cast(coalesce(n_orders, 0) as bigint) as n_orders,
    cast(coalesce(n_units, 0) as decimal(18, 4)) as n_units,
    cast(coalesce(revenue, 0) as decimal(18, 2)) as revenue,
    cast(coalesce(discount_amount, 0) as decimal(18, 2)) as discount_amount,
    cast(days_since_previous_order as bigint) as days_since_previous_order,
    cast(coalesce(n_refunds, 0) as bigint) as n_refunds,
    cast(coalesce(returned_amount, 0) as decimal(18, 2)) as returned_amount,
    cast(coalesce(n_tickets, 0) as bigint) as n_tickets,
    cast(coalesce(n_bounces, 0) as bigint) as n_bounces,
    cast(coalesce(n_emails_only_bounced, 0) as bigint) as n_emails_only_bounced
from orders_by_day
full join refunds_by_day using (customer_id, activity_on)
full join tickets_by_day using (customer_id, activity_on)
full join bounces_by_day using (customer_id, activity_on)
