-- Orders in a currency without a rate (seed exchange_rates) on their day are in no other table.
with orders as (
    select
        order_id,
        currency,
        total_amount,
        coalesce('account ' || customer_id, 'email ' || email, 'phone ' || phone) as buyer,
        'shop_customer:' || customer_id as record_key,
        {{ day_of('ordered_at') }} as ordered_on
    from {{ ref('base_shop__rated_orders') }}
    where reject_reason = 'currency is not an accepted value'
),

records as (
    select
        record_key,
        customer_id
    from {{ ref('record_customers') }}
),

customers as (
    select
        customer_id,
        n_orders
    from {{ ref('customers') }}
),

currency_counts as (
    select
        orders.currency,
        count(*) as n_orders,
        count(distinct orders.buyer) as n_customers,
        count(distinct case when customers.n_orders > 0 then orders.buyer end) as n_with_other_orders,
        sum(orders.total_amount) as total_amount,
        min(orders.ordered_on) as first_ordered_on,
        max(orders.ordered_on) as last_ordered_on
    from orders
    left join records on orders.record_key = records.record_key
    left join customers on records.customer_id = customers.customer_id
    group by orders.currency
)

select
    currency,
    cast(n_orders as bigint) as n_orders,
    cast(n_customers as bigint) as n_customers,
    cast(n_customers - n_with_other_orders as bigint) as n_customers_without_order,
    cast(total_amount as decimal(18, 2)) as total_amount,
    first_ordered_on,
    last_ordered_on,
    {{ counted('n_orders', 'order') }} || ' of ' || {{ counted('n_customers', 'customer') }} || ' in ' || currency || ' '
    || case when n_orders = 1 then 'is' else 'are' end || ' in no total, because seed exchange_rates has no rate for '
    || case when n_orders = 1 then 'its day' else 'their days' end || '.'
    || case
        when n_customers > n_with_other_orders
            then ' Without them ' || {{ counted('n_customers - n_with_other_orders', 'customer appears', 'customers appear') }} || ' to have no order.'
        else ''
    end as sentence
from currency_counts
