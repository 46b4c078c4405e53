-- A refund belongs to the customer of its order, whichever account it was paid to, and is erased with that order. It reduces
-- revenue by the returned price of goods, once, and never by more than was paid: docs/money.md.
-- Longer than 120 lines because each running sum is built from the one before it, in a CTE of its own.
with refunds as (
    select * from {{ ref('deduplicated_refunds') }}
),

orders as (
    select order_id from {{ ref('stg_shop__orders') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

amounts as (
    select * from {{ ref('order_amounts') }}
),

records as (
    select
        record_key,
        customer_id,
        erased_until
    from {{ ref('record_customers') }}
),

lines as (
    select
        lines.order_line_id,
        lines.gross_amount > 0 and {{ is_gift_card_line() }} as is_gift_card
    from {{ ref('stg_shop__order_lines') }} as lines
    left join {{ ref('stg_shop__products') }} as products on lines.product_id = products.product_id
),

attributed_refunds as (
    select
        refunds.refund_id,
        refunds.order_id as named_order_id,
        order_customers.order_id,
        refunds.order_line_id,
        coalesce(order_customers.customer_id, records.customer_id) as customer_id,
        refunds.product_id,
        refunds.quantity,
        refunds.refund_reason,
        refunds.refunded_at,
        refunds.is_head,
        -- An order that is not kept was never in revenue, so its refund does not reduce it.
        case when refunds.order_id is null then true else coalesce(order_customers.is_sale, false) end as is_sale,
        refunds.once_amount as once_in_currency,
        {{ at_rate('refunds.once_amount', 'coalesce(amounts.exchange_rate, 1)') }} as once_amount,
        {{ at_rate('refunds.once_shipping', 'coalesce(amounts.exchange_rate, 1)') }} as known_shipping,
        {{ at_rate('coalesce(refunds.once_tax, 0)', 'coalesce(amounts.exchange_rate, 1)') }} as known_tax,
        refunds.once_tax is not null as is_tax_known,
        coalesce(lines.is_gift_card, false) as is_of_gift_card,
        greatest(coalesce(amounts.net_amount, 0), 0) as net_amount,
        greatest(coalesce(amounts.goods_tax_amount, 0), 0) as goods_tax_amount,
        greatest(coalesce(amounts.tax_amount, 0), 0) as all_tax_amount,
        greatest(coalesce(amounts.shipping_amount, 0), 0) as all_shipping_amount,
        greatest(coalesce(amounts.paid_amount, 0), 0) as paid_amount,
        greatest(coalesce(amounts.paid_in_currency, 0), 0) as paid_in_currency,
        coalesce(amounts.exchange_rate, 1) as exchange_rate,
        greatest(coalesce(amounts.cost_amount, 0), 0) as all_cost_amount
    from refunds
    left join order_customers on refunds.order_id = order_customers.order_id
    left join orders on refunds.order_id = orders.order_id
    left join amounts on refunds.order_id = amounts.order_id
    left join lines on refunds.order_line_id = lines.order_line_id
    left join records
        on
            orders.order_id is null
            and records.record_key = 'shop_customer:' || refunds.shop_customer_id
            and coalesce(refunds.refunded_at > records.erased_until, records.erased_until is null)
    where coalesce(order_customers.customer_id, records.customer_id) is not null
),

-- Running sums over the refunds of an order. Goods are what is left without shipping and tax or, if the tax is unknown, the
-- share of goods in goods with tax.
refund_sums as (
    select
        *,
        sum(once_amount) over (partition by order_id order by refunded_at, refund_id rows between unbounded preceding and current row) as once_so_far,
        sum(once_in_currency)
            over (partition by order_id order by refunded_at, refund_id rows between unbounded preceding and current row) as in_currency_so_far,
        sum(case when is_tax_known then known_tax else 0 end)
            over (partition by order_id order by refunded_at, refund_id rows between unbounded preceding and current row) as tax_so_far,
        sum(case when is_tax_known and not is_of_gift_card then greatest(once_amount - known_shipping - known_tax, 0) else 0 end)
            over (partition by order_id order by refunded_at, refund_id rows between unbounded preceding and current row) as without_tax_so_far,
        sum(case when not is_tax_known and not is_of_gift_card then greatest(once_amount - known_shipping, 0) else 0 end)
            over (partition by order_id order by refunded_at, refund_id rows between unbounded preceding and current row) as with_tax_so_far
    from attributed_refunds
    where order_id is not null
),

-- A refund is full if it reaches the payment in the order's own currency.
running_totals as (
    select
        *,
        case when in_currency_so_far >= paid_in_currency then paid_amount else least(once_so_far, paid_amount) end as counted_so_far,
        least(with_tax_so_far, net_amount + goods_tax_amount) as shared_so_far,
        in_currency_so_far >= paid_in_currency as is_all
    from refund_sums
),

running_returns as (
    select
        *,
        case
            when is_all then net_amount
            else least(
                without_tax_so_far + {{ money_share('shared_so_far', 'net_amount', 'net_amount + goods_tax_amount') }}, net_amount, counted_so_far
            )
        end as returned_so_far
    from running_totals
),

running_tax as (
    select
        *,
        case
            when is_all then all_tax_amount
            else least(
                tax_so_far + {{ money_share('greatest(returned_so_far - without_tax_so_far, 0)', 'goods_tax_amount', 'net_amount') }},
                all_tax_amount,
                counted_so_far - returned_so_far
            )
        end as returned_tax_so_far,
        {{ money_share('all_cost_amount', 'returned_so_far', 'net_amount') }} as cost_so_far
    from running_returns
),

running_shipping as (
    select
        *,
        least(counted_so_far - returned_so_far - returned_tax_so_far, all_shipping_amount) as shipping_so_far
    from running_tax
),

order_refunds as (
    select
        *,
        {% for sum_so_far, share in {
            'counted_so_far': 'refund_amount', 'returned_so_far': 'returned_amount', 'shipping_so_far': 'shipping_amount',
            'returned_tax_so_far': 'tax_amount', 'cost_so_far': 'cost_amount'
        }.items() -%}
        {{ sum_so_far }} - coalesce(lag({{ sum_so_far }}) over (partition by order_id order by refunded_at, refund_id), 0) as {{ share }},
        {% endfor -%}
        {{ at_rate(
            'greatest(in_currency_so_far - paid_in_currency, 0) - greatest(in_currency_so_far - once_in_currency - paid_in_currency, 0)',
            'exchange_rate'
        ) }} as excess_amount
    from running_shipping
),

-- Without an order the paid amount is unknown.
customer_refunds as (
    select
        *,
        case when is_sale then once_amount else 0 end as refund_amount,
        case when is_sale then greatest(once_amount - known_shipping - known_tax, 0) else 0 end as returned_amount,
        case when is_sale then least(known_shipping, once_amount) else 0 end as shipping_amount,
        case when is_sale then least(known_tax, greatest(once_amount - known_shipping, 0)) else 0 end as tax_amount,
        0 as cost_amount,
        0 as excess_amount
    from attributed_refunds
    where order_id is null
),

-- Some shops record a return as an order below zero. It counts as a refund.
return_orders as (
    select
        'order ' || order_customers.order_id as refund_id,
        order_customers.customer_id,
        -amounts.paid_amount as refund_amount,
        -amounts.net_amount as returned_amount,
        -amounts.shipping_amount as shipping_amount,
        -coalesce(amounts.tax_amount, 0) as tax_amount,
        -coalesce(amounts.cost_amount, 0) as cost_amount,
        0 as excess_amount,
        'order below zero' as refund_reason,
        false as is_head,
        true as is_sale,
        order_customers.ordered_at as refunded_at
    from order_customers
    inner join amounts on order_customers.order_id = amounts.order_id
    where order_customers.is_return
),

all_refunds as (
    {{ union_by_name(
        {
            'order_refunds': [],
            'customer_refunds': [],
            'return_orders': ['order_id', 'order_line_id', 'product_id', 'quantity']
        },
        columns=[
            'refund_id', 'order_id', 'order_line_id', 'customer_id', 'product_id', 'quantity', 'refund_amount', 'returned_amount',
            'shipping_amount', 'tax_amount', 'cost_amount', 'excess_amount', 'refund_reason', 'is_head', 'is_sale', 'refunded_at'
        ],
        types={'quantity': 'decimal(18, 4)'}
    ) }}
)

select
    refund_id,
    order_id,
    order_line_id,
    customer_id,
    product_id,
    quantity,
    cast(refund_amount as decimal(18, 2)) as refund_amount,
    cast(returned_amount as decimal(18, 2)) as returned_amount,
    cast(shipping_amount as decimal(18, 2)) as shipping_amount,
    cast(tax_amount as decimal(18, 2)) as tax_amount,
    cast(cost_amount as decimal(18, 2)) as cost_amount,
    cast(excess_amount as decimal(18, 2)) as excess_amount,
    refund_reason,
    is_head,
    is_sale,
    refunded_at
from all_refunds
