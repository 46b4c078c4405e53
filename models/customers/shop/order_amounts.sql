-- What an order is worth, by its total and its lines: docs/money.md has the rules in words. The total says what the goods
-- cost, being all that was charged less what is known to be no goods; the lines say so where there is no total, and
-- which of the ways to read tax, discounts and gift cards makes both agree. All in the order's currency until the end.
{% set tolerance = var('order_sums_tolerance') %}
{% set readings = {
    'tax_on_top': 'total_amount - known_tax', 'tax_inside': 'total_amount',
    'tax_on_top_card': 'total_amount - known_tax + known_card', 'tax_inside_card': 'total_amount + known_card'
} %}
{% set discounts = {
    'both': ['line_discount + order_discount', '1 = 1'], 'line': ['line_discount', 'line_discount <> 0'],
    'order': ['order_discount', 'order_discount <> 0'], 'none': ['0', '1 = 1']
} %}
with orders as (
    select
        *,
        coalesce(gift_card_amount, 0) as known_card
    from {{ ref('stg_shop__orders') }}
),

products as (
    select
        product_id,
        is_gift_card,
        unit_cost
    from {{ ref('stg_shop__products') }}
),

-- A gift card is sold at a price. One at less takes something off, which is for the total to say.
lines as (
    select
        lines.order_id,
        lines.quantity,
        lines.gross_amount,
        lines.discount_amount,
        lines.tax_amount,
        lines.gross_amount > 0 and {{ is_gift_card_line() }} as is_gift_card,
        lines.unit_cost,
        products.unit_cost as product_cost
    from {{ ref('stg_shop__order_lines') }} as lines
    left join products on lines.product_id = products.product_id
),

line_sums as (
    select
        order_id,
        count(*) as n_lines,
        sum(quantity) as n_units,
        sum(case when not is_gift_card then gross_amount else 0 end) as line_gross,
        sum(case when not is_gift_card then discount_amount else 0 end) as line_discount,
        sum(case when is_gift_card then gross_amount - discount_amount else 0 end) as line_cards,
        case when count(tax_amount) = count(*) then sum(case when not is_gift_card then tax_amount else 0 end) end as line_tax,
        count(case when not is_gift_card and unit_cost is null and product_cost is null then 1 end) = 0 as has_cost,
        sum(case when not is_gift_card then {{ at_price('quantity', 'unit_cost') }} end) as line_cost,
        sum(case when not is_gift_card and unit_cost is null then {{ at_price('quantity', 'product_cost') }} end) as product_cost
    from lines
    group by order_id
),

-- A column of nothing but zeros tells nothing.
shop as (
    select
        count(case when total_amount <> 0 then 1 end) > 0 as tells_totals,
        count(gift_card_amount) > 0 as tells_gift_cards
    from orders
),

shop_lines as (
    select count(case when line_gross <> 0 then 1 end) > 0 as tells_prices from line_sums
),

put_together as (
    select
        orders.order_id,
        orders.currency,
        orders.exchange_rate,
        orders.ordered_at,
        case when shop.tells_totals or coalesce(line_sums.line_gross, 0) = 0 then orders.total_amount end as total_amount,
        orders.shipping_amount,
        orders.tip_amount,
        coalesce(orders.tax_amount, line_sums.line_tax) as tax_amount,
        coalesce(orders.tax_amount, line_sums.line_tax, 0) as known_tax,
        orders.known_card,
        orders.prices_include_tax,
        coalesce(line_sums.n_lines, 0) as n_lines,
        coalesce(line_sums.n_units, 0) as n_units,
        coalesce(line_sums.line_gross, 0) as line_gross,
        coalesce(line_sums.line_discount, 0) as line_discount,
        case
            when coalesce(line_sums.line_gross, orders.total_amount, 0) < 0 then -orders.discount_amount
            else orders.discount_amount
        end as order_discount,
        coalesce(line_sums.line_cards, 0) as line_cards,
        line_sums.line_tax,
        case when line_sums.has_cost then coalesce(line_sums.line_cost, 0) end as line_cost,
        coalesce(line_sums.product_cost, 0) as product_cost,
        coalesce(line_sums.line_gross <> 0 or line_sums.line_cards <> 0, false) as has_prices,
        shop_lines.tells_prices,
        shop.tells_gift_cards
    from orders
    cross join shop
    cross join shop_lines
    left join line_sums on orders.order_id = line_sums.order_id
),

-- Which discounts make the lines agree with the total, if one reads it so.
read_ways as (
    select
        *,
        {% for reading, amount in readings.items() -%}
        case
            when not has_prices then null
            {%- for discount, (taken_off, condition) in discounts.items() %}
            when
                {{ condition }} and abs(line_gross + line_cards - ({{ taken_off }}) - ({{ amount }} - shipping_amount - tip_amount))
                <= {{ tolerance }} * n_lines
                then '{{ discount }}'
            {%- endfor %}
        end as {{ reading }},
        {% endfor -%}
        has_prices and total_amount is not null as is_comparable
    from put_together
),

seen as (
    select
        *,
        case
            when prices_include_tax is not null then prices_include_tax
            when known_tax = 0 then null
            when coalesce(tax_on_top, tax_on_top_card) is not null then false
            when coalesce(tax_inside, tax_inside_card) is not null then true
        end as includes_tax_here,
        case
            when known_card = 0 then null
            when coalesce(tax_on_top, tax_inside) is not null then false
            when coalesce(tax_on_top_card, tax_inside_card) is not null then true
            when total_amount < known_card then true
        end as is_after_card_here
    from read_ways
),

-- How most of the shop's orders are to be read, for those that do not say.
habits as (
    select
        count(case when includes_tax_here then 1 end) > count(case when not includes_tax_here then 1 end) as includes_tax,
        count(case when is_after_card_here then 1 end) > count(case when not is_after_card_here then 1 end) as is_after_card
    from seen
),

settled as (
    select
        seen.*,
        coalesce(seen.includes_tax_here, habits.includes_tax) as includes_tax,
        seen.known_card > 0 and coalesce(seen.is_after_card_here, habits.is_after_card) as is_after_card
    from seen
    cross join habits
),

compared as (
    select
        *,
        total_amount + case when is_after_card then known_card else 0 end as full_total,
        case
            when includes_tax and is_after_card then tax_inside_card
            when includes_tax then tax_inside
            when is_after_card then tax_on_top_card
            else tax_on_top
        end as fitting_discount,
        case when includes_tax then 0 else known_tax end as tax_on_goods_price
    from settled
),

-- Where nothing makes them agree, a discount that is the same on order and lines is one.
discounted as (
    select
        *,
        coalesce(
            fitting_discount,
            case when n_lines = 0 then 'order' when line_discount = order_discount then 'line' else 'both' end
        ) as discount_basis
    from compared
),

summed as (
    select
        *,
        case discount_basis
            when 'line' then line_discount
            when 'order' then order_discount
            when 'none' then greatest(line_discount, order_discount)
            else line_discount + order_discount
        end as all_discount
    from discounted
),

lines_priced as (
    select
        *,
        case
            when n_lines = 0 then 0
            when discount_basis = 'none' then line_gross + line_cards
            when line_gross < 0 then line_gross + line_cards - all_discount
            else greatest(line_gross + line_cards - all_discount, 0)
        end as line_price
    from summed
),

-- What the lines come to beyond the total, in a shop that sells gift cards and says nowhere what was paid by one.
short_of_lines as (
    select
        *,
        case
            when has_prices and fitting_discount is null and not tells_gift_cards and total_amount >= 0
                then greatest(line_price + shipping_amount + tip_amount + tax_on_goods_price - total_amount, 0)
            else 0
        end as shortfall
    from lines_priced
),

card_sales as (
    select
        order_id,
        ordered_at,
        sum(line_cards * exchange_rate) over (order by ordered_at, order_id rows between unbounded preceding and current row)
        - line_cards * exchange_rate as sold_before,
        shortfall * exchange_rate as redeemed
    from short_of_lines
    where line_cards > 0 or shortfall > 0
),

-- No more is taken for a gift card than was sold of them before.
redeemed as (
    select
        order_id,
        sold_before >= sum(redeemed) over (order by ordered_at, order_id rows between unbounded preceding and current row) as is_covered
    from card_sales
    where redeemed > 0 and redeemed <= sold_before
),

paid as (
    select
        short_of_lines.*,
        coalesce(redeemed.is_covered, false) as is_card_assumed,
        full_total + case when redeemed.is_covered then shortfall else 0 end as paid_total,
        case when redeemed.is_covered then shortfall else known_card end as paid_by_card
    from short_of_lines
    left join redeemed on short_of_lines.order_id = redeemed.order_id
),

-- No part of a total is more than what is left of it.
tipped as (
    select
        *,
        case when paid_total >= 0 then least(tip_amount, paid_total) else tip_amount end as tip_part
    from paid
),

shipped as (
    select
        *,
        case when paid_total >= 0 then least(shipping_amount, paid_total - tip_part) else shipping_amount end as shipping_price
    from tipped
),

taxed as (
    select
        *,
        case
            when paid_total < 0 or paid_total is null then known_tax
            when includes_tax then least(known_tax, paid_total - tip_part)
            else least(known_tax, paid_total - tip_part - shipping_price)
        end as tax_part
    from shipped
),

priced as (
    select
        *,
        coalesce(
            paid_total - tip_part - shipping_price - case when includes_tax then 0 else tax_part end,
            line_price
        ) as price
    from taxed
),

carded as (
    select
        *,
        case when price >= 0 then least(line_cards, price) else line_cards end as card_part
    from priced
),

-- Tax is on goods and shipping alike, unless the lines say theirs.
split as (
    select
        *,
        price - card_part as goods_price,
        case
            when tax_part = 0 then 0
            when line_tax is not null and tax_part >= line_tax then line_tax
            else {{ money_share('tax_part', 'price - card_part', 'price - card_part + shipping_price') }}
        end as goods_tax
    from carded
),

netted as (
    select
        *,
        goods_price - case when includes_tax then goods_tax else 0 end as net_price,
        shipping_price - case when includes_tax then tax_part - goods_tax else 0 end as net_shipping,
        case
            when n_lines = 0 and total_amount is null then 0
            when includes_tax and goods_tax <> 0
                then {{ money_share('all_discount', 'goods_price - goods_tax', 'goods_price') }}
            else all_discount
        end as net_discount
    from split
),

converted as (
    select
        *,
        {{ at_rate('net_price', 'exchange_rate') }} as net_amount,
        {{ at_rate('net_discount', 'exchange_rate') }} as discount_amount,
        {{ at_rate('goods_tax', 'exchange_rate') }} as goods_tax_amount,
        {{ at_rate('tax_part', 'exchange_rate') }} as all_tax_amount,
        {{ at_rate('net_shipping', 'exchange_rate') }} as all_shipping_amount,
        {{ at_rate('tip_part', 'exchange_rate') }} as all_tip_amount,
        {{ at_rate('card_part', 'exchange_rate') }} as gift_card_sold_amount,
        {{ at_rate('paid_by_card', 'exchange_rate') }} as gift_card_paid_amount,
        {{ at_rate('line_cost', 'exchange_rate') }} + cast(product_cost as decimal(18, 2)) as cost_amount,
        {{ at_rate('total_amount', 'exchange_rate') }} as charged_total,
        {{ at_rate('paid_total - (line_price + shipping_amount + tip_amount + tax_on_goods_price)', 'exchange_rate') }} as difference_amount
    from netted
)

select
    order_id,
    currency,
    exchange_rate,
    n_lines,
    n_units,
    cast(net_amount + discount_amount as decimal(18, 2)) as gross_amount,
    discount_amount,
    net_amount,
    goods_tax_amount,
    case when tax_amount is not null then all_tax_amount end as tax_amount,
    all_shipping_amount as shipping_amount,
    all_tip_amount as tip_amount,
    gift_card_sold_amount,
    gift_card_paid_amount,
    cast(net_amount + all_tax_amount + all_shipping_amount + all_tip_amount + gift_card_sold_amount as decimal(18, 2)) as paid_amount,
    charged_total as total_amount,
    cast(cost_amount as decimal(18, 2)) as cost_amount,
    cast(net_price + tax_part + net_shipping + tip_part + card_part as decimal(18, 2)) as paid_in_currency,
    -- For order_issues: how lines and total were read.
    has_prices,
    case when is_comparable and not is_card_assumed then fitting_discount is not null end as adds_up,
    discount_basis,
    is_card_assumed,
    difference_amount,
    cast({{ at_rate('line_gross + line_cards', 'exchange_rate') }} as decimal(18, 2)) as line_amount,
    cast({{ at_rate('line_discount', 'exchange_rate') }} as decimal(18, 2)) as line_discount_amount,
    cast({{ at_rate('order_discount', 'exchange_rate') }} as decimal(18, 2)) as order_discount_amount,
    coalesce(shipping_price < shipping_amount or tip_part < tip_amount or tax_part < known_tax, false) as has_more_than_total,
    -- Samples and what is given away are no purchases. In a shop without prices nothing says so.
    net_amount > 0
    or gift_card_sold_amount > 0
    or (net_amount = 0 and net_amount + all_tax_amount + all_shipping_amount + all_tip_amount > 0)
    or (paid_total is null and (n_lines = 0 or not tells_prices)) as is_purchase,
    net_amount < 0 as is_return
from converted
