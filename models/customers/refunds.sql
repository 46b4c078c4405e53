-- A refund belongs to the customer of its order, whichever account it was paid to, and is erased with that order. It reduces
-- revenue by the returned price of goods, once, and never by more than was paid: docs/money.md.
with orders as (
    select
        order_id,
        shipping_amount
    from {{ ref('stg_shop__orders') }}
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

refunds as (
    select
        refunds.*,
        {{ day_of('refunds.refunded_at') }} as refunded_on,
        refunds.order_line_id is not null or refunds.product_id is not null as is_of_line
    from {{ ref('stg_shop__refunds') }} as refunds
),

-- Many shops record a refund twice: as a whole (the head) and line by line. A head covers the lines whose ids begin with its
-- own, …
heads as (
    select
        refunds.*,
        orders.shipping_amount as order_shipping
    from refunds
    inner join orders on refunds.order_id = orders.order_id
    where not refunds.is_of_line
),

parts as (
    select * from refunds where is_of_line and order_id is not null
),

named_parts as (
    select
        parts.refund_id,
        max(heads.refund_id) as head_id,
        max(case when heads.tax_amount is not null then 1 else 0 end) as is_tax_known
    from parts
    inner join heads
        on
            parts.order_id = heads.order_id
            and substr(parts.refund_id, 1, length(heads.refund_id)) = heads.refund_id
            and {{ matches_pattern('substr(parts.refund_id, length(heads.refund_id) + 1, 1)', '^[^0-9A-Za-z]$') }}
    group by parts.refund_id
),

named_heads as (
    select
        named_parts.head_id as refund_id,
        sum(parts.refund_amount) as parts_amount,
        sum(coalesce(parts.tax_amount, 0)) as parts_tax
    from named_parts
    inner join parts on named_parts.refund_id = parts.refund_id
    group by named_parts.head_id
),

-- … or the lines of the same order and day, if they add up to it, with or without shipping, or have its exact time.
parts_by_day as (
    select
        parts.order_id,
        parts.refunded_on,
        sum(parts.refund_amount) as parts_amount,
        sum(coalesce(parts.tax_amount, 0)) as parts_tax,
        min(parts.refunded_at) as first_refunded_at,
        max(parts.refunded_at) as last_refunded_at
    from parts
    left join named_parts on parts.refund_id = named_parts.refund_id
    where named_parts.refund_id is null
    group by parts.order_id, parts.refunded_on
),

unnamed_heads as (
    select
        heads.*,
        count(*) over (partition by heads.order_id, heads.refunded_on) as n_heads,
        sum(heads.refund_amount) over (partition by heads.order_id, heads.refunded_on) as heads_amount
    from heads
    left join named_heads on heads.refund_id = named_heads.refund_id
    where named_heads.refund_id is null
),

dated_heads as (
    select
        heads.refund_id,
        heads.order_id,
        heads.refunded_on,
        heads.tax_amount,
        case when heads.n_heads > 1 and heads.heads_amount = parts.parts_amount then heads.refund_amount else parts.parts_amount end as parts_amount,
        parts.parts_tax
    from unnamed_heads as heads
    inner join parts_by_day as parts on heads.order_id = parts.order_id and heads.refunded_on = parts.refunded_on
    where
        heads.refund_amount = parts.parts_amount
        or heads.refund_amount = parts.parts_amount + heads.order_shipping
        or (heads.n_heads > 1 and heads.heads_amount = parts.parts_amount)
        or (
            heads.n_heads = 1
            and heads.refund_amount > parts.parts_amount
            and heads.refunded_at = parts.first_refunded_at
            and heads.refunded_at = parts.last_refunded_at
            and heads.refunded_at <> {{ day_begins('cast(heads.refunded_on as timestamp)') }}
        )
),

all_heads as (
    select
        refund_id,
        parts_amount,
        parts_tax
    from named_heads
    union all
    select
        refund_id,
        parts_amount,
        parts_tax
    from dated_heads
),

days_with_tax as (
    select distinct
        order_id,
        refunded_on
    from dated_heads
    where tax_amount is not null
),

-- A head counts only with the amount beyond its lines. If the head has the tax of all lines, the lines count without tax.
deduplicated_refunds as (
    select
        refunds.*,
        case when all_heads.refund_id is null then refunds.refund_amount else greatest(refunds.refund_amount - all_heads.parts_amount, 0) end as once_amount,
        case
            when all_heads.refund_id is not null then greatest(refunds.tax_amount - all_heads.parts_tax, 0)
            when refunds.tax_amount is null and (named_parts.is_tax_known = 1 or days_with_tax.order_id is not null) then 0
            else refunds.tax_amount
        end as once_tax,
        -- An amount beyond the lines that equals the shipping is shipping.
        case
            when refunds.shipping_amount is null and refunds.refund_amount = all_heads.parts_amount + orders.shipping_amount
                then orders.shipping_amount
            else coalesce(refunds.shipping_amount, 0)
        end as once_shipping,
        all_heads.refund_id is not null as is_head
    from refunds
    left join orders on refunds.order_id = orders.order_id
    left join all_heads on refunds.refund_id = all_heads.refund_id
    left join named_parts on refunds.refund_id = named_parts.refund_id
    left join days_with_tax
        on
            refunds.is_of_line
            and named_parts.refund_id is null
            and refunds.order_id = days_with_tax.order_id
            and refunds.refunded_on = days_with_tax.refunded_on
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
    from deduplicated_refunds as refunds
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

{% set shares = {
    'counted_so_far': 'refund_amount', 'returned_so_far': 'returned_amount', 'shipping_so_far': 'shipping_amount',
    'returned_tax_so_far': 'tax_amount', 'cost_so_far': 'cost_amount'
} -%}
order_refunds as (
    select
        *,
        {% for sum_so_far, share in shares.items() -%}
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
        cast(null as {{ dbt.type_string() }}) as order_id,
        cast(null as {{ dbt.type_string() }}) as order_line_id,
        order_customers.customer_id,
        cast(null as {{ dbt.type_string() }}) as product_id,
        cast(null as decimal(18, 4)) as quantity,
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

{% set columns = [
    'refund_id', 'order_id', 'order_line_id', 'customer_id', 'product_id', 'quantity', 'refund_amount', 'returned_amount', 'shipping_amount',
    'tax_amount', 'cost_amount', 'excess_amount', 'refund_reason', 'is_head', 'is_sale', 'refunded_at'
] -%}
all_refunds as (
    {% for part in ['order_refunds', 'customer_refunds', 'return_orders'] -%}
    select
        {{ columns | join(',\n        ') }}
    from {{ part }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
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
