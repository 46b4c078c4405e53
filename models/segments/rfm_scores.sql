{% set measures = {
    'recency': '-days_since_last_order', 'frequency': 'n_orders', 'money': 'net_revenue', 'order_value': 'average_order_value'
} %}
with customers as (
    select
        *,
        cast({{ days_since('last_ordered_at') }} as bigint) as days_since_last_order
    from {{ ref('customers') }}
),

orders as (
    select
        customer_id,
        count(case when discount_amount > 0 then 1 end) as n_discounted_orders
    from {{ ref('orders') }}
    where is_sale and not coalesce(is_renewal, false)
    group by customer_id
),

-- Share of buyers with a lower value. Ties share a rank, so they are never split.
ranked_buyers as (
    select
        {% for name, amount in measures.items() -%}
        cast(rank() over (order by {{ amount }}) - 1 as {{ double_type() }}) / count(*) over () as {{ name }}_rank_share,
        {% endfor -%}
        customer_id
    from customers
    where n_orders > 0
)

select
    customers.customer_id,
    cast(floor(5 * ranked_buyers.recency_rank_share) + 1 as bigint) as recency_score,
    cast(floor(5 * ranked_buyers.frequency_rank_share) + 1 as bigint) as frequency_score,
    cast(floor(5 * ranked_buyers.money_rank_share) + 1 as bigint) as monetary_score,
    case
        when ranked_buyers.order_value_rank_share >= 1 - {{ var('high_order_value_share') }} then 'high'
        when ranked_buyers.order_value_rank_share < {{ var('low_order_value_share') }} then 'low'
        when ranked_buyers.order_value_rank_share is not null then 'middle'
    end as order_value_band,
    ranked_buyers.order_value_rank_share,
    customers.average_order_value,
    customers.n_orders,
    cast(coalesce(orders.n_discounted_orders, 0) as bigint) as n_discounted_orders,
    customers.refund_share,
    coalesce(
        customers.n_orders >= {{ var('buying_habit_min_orders') }}
        and cast(orders.n_discounted_orders as {{ double_type() }}) / customers.n_orders >= {{ var('discount_driven_min_share') }},
        false
    ) as is_discount_driven,
    -- Without any recorded discount in the shop, the absence of discounts means nothing.
    coalesce(
        customers.n_orders >= {{ var('buying_habit_min_orders') }}
        and orders.n_discounted_orders = 0
        and sum(orders.n_discounted_orders) over () > 0,
        false
    ) as is_full_price_buyer,
    refund_heavy.customer_id is not null as is_refund_heavy
from customers
left join orders on customers.customer_id = orders.customer_id
left join {{ ref('refund_heavy') }} as refund_heavy on customers.customer_id = refund_heavy.customer_id
left join ranked_buyers on customers.customer_id = ranked_buyers.customer_id
