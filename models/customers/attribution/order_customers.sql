-- An order belongs to the customer of the record that it names (order_records). A customer who came back after an erasure has
-- only the orders placed since.
with orders as (
    select * from {{ ref('order_records') }}
),

records as (
    select
        record_key,
        customer_id,
        erased_until
    from {{ ref('record_customers') }}
    {%- if var('keep_anonymous_visitors') %}
    union all
    select
        record_key,
        customer_id,
        cast(null as timestamp) as erased_until
    from {{ ref('customer_keys') }}
    where record_type = 'web_visitor' and cluster_state <> 'shared device'
    {%- endif %}
),

-- An order with status refunded counts as a sale and a return if a refund has the amount. Otherwise it does not count.
orders_with_refund as (
    select distinct order_id from {{ ref('stg_shop__refunds') }}
    where order_id is not null
),

attributed_orders as (
    select
        orders.order_id,
        records.customer_id,
        orders.order_status is null
        or (
            orders.order_status not in ('unknown', '{{ var("not_a_sale_statuses") | join("', '") }}')
            and (orders.order_status <> 'refunded' or orders_with_refund.order_id is not null)
        ) as is_counted,
        orders.subscription_id,
        orders.is_renewal,
        orders.ordered_at
    from orders
    inner join records on orders.record_key = records.record_key
    left join orders_with_refund on orders.order_id = orders_with_refund.order_id
    where coalesce(orders.ordered_at > records.erased_until, records.erased_until is null)
)

select
    attributed_orders.order_id,
    attributed_orders.customer_id,
    attributed_orders.is_counted and amounts.is_purchase as is_sale,
    attributed_orders.is_counted and amounts.is_return as is_return,
    attributed_orders.subscription_id,
    attributed_orders.is_renewal,
    attributed_orders.ordered_at
from attributed_orders
inner join {{ ref('order_amounts') }} as amounts on attributed_orders.order_id = amounts.order_id
