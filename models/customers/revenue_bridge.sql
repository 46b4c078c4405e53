-- Each part of revenue is additive: sums over days, orders and customers agree.
{% set sale_columns = ['gross_amount', 'discount_amount', 'shipping_amount', 'tax_amount', 'tip_amount', 'gift_card_sold_amount', 'paid_amount', 'gift_card_paid_amount'] %}
{% set refund_columns = ['returned_amount', 'returned_shipping_amount', 'returned_tax_amount', 'returned_other_amount', 'refund_amount'] %}
with orders as (
    select
        *,
        coalesce(tax_amount, 0) as known_tax
    from {{ ref('orders') }}
    where is_sale
),

refunds as (
    select * from {{ ref('refunds') }} where is_sale
),

-- The returned cost is unknown if the cost is.
costs as (
    select
        order_id,
        cost_amount is not null as is_cost_known
    from {{ ref('order_amounts') }}
),

entries as (
    select
        'order ' || order_id as entry_id,
        'sale' as entry_type,
        order_id,
        cast(null as {{ dbt.type_string() }}) as refund_id,
        customer_id,
        ordered_at as occurred_at,
        gross_amount,
        discount_amount,
        shipping_amount,
        known_tax as tax_amount,
        tip_amount,
        gift_card_sold_amount,
        paid_amount,
        gift_card_paid_amount,
        {% for column in refund_columns -%}
        cast(0 as decimal(18, 2)) as {{ column }},
        {% endfor -%}
        cost_amount
    from orders
    union all
    select
        'refund ' || refunds.refund_id as entry_id,
        'refund' as entry_type,
        refunds.order_id,
        refunds.refund_id,
        refunds.customer_id,
        refunds.refunded_at as occurred_at,
        {% for column in sale_columns -%}
        cast(0 as decimal(18, 2)) as {{ column }},
        {% endfor -%}
        refunds.returned_amount,
        refunds.shipping_amount as returned_shipping_amount,
        refunds.tax_amount as returned_tax_amount,
        refunds.refund_amount - refunds.returned_amount - refunds.shipping_amount - refunds.tax_amount as returned_other_amount,
        refunds.refund_amount,
        case when costs.is_cost_known then -refunds.cost_amount end as cost_amount
    from refunds
    left join costs on refunds.order_id = costs.order_id
)

select
    entry_id,
    entry_type,
    {{ day_of('occurred_at') }} as occurred_on,
    order_id,
    refund_id,
    customer_id,
    gross_amount,
    discount_amount,
    returned_amount,
    cast(gross_amount - discount_amount - returned_amount as decimal(18, 2)) as net_revenue,
    shipping_amount,
    returned_shipping_amount,
    tax_amount,
    returned_tax_amount,
    tip_amount,
    gift_card_sold_amount,
    cast(returned_other_amount as decimal(18, 2)) as returned_other_amount,
    paid_amount,
    refund_amount,
    gift_card_paid_amount,
    cast(paid_amount - gift_card_paid_amount - refund_amount as decimal(18, 2)) as money_amount,
    cast(cost_amount as decimal(18, 2)) as cost_amount,
    cast(gross_amount - discount_amount - returned_amount - cost_amount as decimal(18, 2)) as margin_amount,
    occurred_at
from entries
