-- The rules are in docs/money.md. The price of the goods is the total less everything known to be no goods. Without a total it
-- is the sum of the lines. The lines also show which reading of tax, discounts and gift cards makes both agree. All amounts
-- are in the order's currency until the end.
-- Longer than 120 lines because each part of the total is taken from what the parts before it leave, in a CTE of its own.
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

-- Only a gift card line above zero sells a card. One below zero is a deduction, which the total accounts for.
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

-- A column with only zeros holds no information.
shop as (
    select
        count(case when total_amount <> 0 then 1 end) > 0 as shop_has_totals,
        count(gift_card_amount) > 0 as shop_has_gift_cards
    from orders
),

shop_lines as (
    select count(case when line_gross <> 0 then 1 end) > 0 as shop_has_prices from line_sums
),

order_inputs as (
    select
        orders.order_id,
        orders.currency,
        orders.exchange_rate,
        orders.ordered_at,
        case when shop.shop_has_totals or coalesce(line_sums.line_gross, 0) = 0 then orders.total_amount end as total_amount,
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
        shop_lines.shop_has_prices,
        shop.shop_has_gift_cards
    from orders
    cross join shop
    cross join shop_lines
    left join line_sums on orders.order_id = line_sums.order_id
),

-- For each reading, the discounts that make the lines agree with the total.
reading_matches as (
    select
        *,
        {% for reading, amount in readings.items() -%}
        case
            when not has_prices then null
            {%- for discount, (discount_amount, condition) in discounts.items() %}
            when
                {{ condition }} and abs(line_gross + line_cards - ({{ discount_amount }}) - ({{ amount }} - shipping_amount - tip_amount))
                <= {{ tolerance }} * n_lines
                then '{{ discount }}'
            {%- endfor %}
        end as {{ reading }},
        {% endfor -%}
        has_prices and total_amount is not null as is_comparable
    from order_inputs
),

own_readings as (
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
    from reading_matches
),

-- The reading of most of the shop's orders, for orders that show none.
shop_readings as (
    select
        count(case when includes_tax_here then 1 end) > count(case when not includes_tax_here then 1 end) as includes_tax,
        count(case when is_after_card_here then 1 end) > count(case when not is_after_card_here then 1 end) as is_after_card
    from own_readings
),

resolved_readings as (
    select
        own_readings.*,
        coalesce(own_readings.includes_tax_here, shop_readings.includes_tax) as includes_tax,
        own_readings.known_card > 0 and coalesce(own_readings.is_after_card_here, shop_readings.is_after_card) as is_after_card
    from own_readings
    cross join shop_readings
),

compared_totals as (
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
    from resolved_readings
),

-- If no reading agrees, an equal discount on order and lines counts as one.
discount_bases as (
    select
        *,
        coalesce(
            fitting_discount,
            case when n_lines = 0 then 'order' when line_discount = order_discount then 'line' else 'both' end
        ) as discount_basis
    from compared_totals
),

discount_totals as (
    select
        *,
        case discount_basis
            when 'line' then line_discount
            when 'order' then order_discount
            when 'none' then greatest(line_discount, order_discount)
            else line_discount + order_discount
        end as all_discount
    from discount_bases
),

line_prices as (
    select
        *,
        case
            when n_lines = 0 then 0
            when discount_basis = 'none' then line_gross + line_cards
            when line_gross < 0 then line_gross + line_cards - all_discount
            else greatest(line_gross + line_cards - all_discount, 0)
        end as line_price
    from discount_totals
),

-- The lines less the total, in a shop that sells gift cards and does not report payments by gift card.
orders_with_shortfall as (
    select
        *,
        case
            when has_prices and fitting_discount is null and not shop_has_gift_cards and total_amount >= 0
                then greatest(line_price + shipping_amount + tip_amount + tax_on_goods_price - total_amount, 0)
            else 0
        end as shortfall
    from line_prices
),

card_sales as (
    select
        order_id,
        ordered_at,
        sum(line_cards * exchange_rate) over (order by ordered_at, order_id rows between unbounded preceding and current row)
        - line_cards * exchange_rate as sold_before,
        shortfall * exchange_rate as redeemed
    from orders_with_shortfall
    where line_cards > 0 or shortfall > 0
),

-- A shortfall counts as paid by gift card only up to the gift cards sold before.
card_redemptions as (
    select
        order_id,
        sold_before >= sum(redeemed) over (order by ordered_at, order_id rows between unbounded preceding and current row) as is_covered
    from card_sales
    where redeemed > 0 and redeemed <= sold_before
),

paid_totals as (
    select
        orders_with_shortfall.*,
        coalesce(card_redemptions.is_covered, false) as is_card_assumed,
        full_total + case when card_redemptions.is_covered then shortfall else 0 end as paid_total,
        case when card_redemptions.is_covered then shortfall else known_card end as paid_by_card
    from orders_with_shortfall
    left join card_redemptions on orders_with_shortfall.order_id = card_redemptions.order_id
),

-- No part exceeds what is left of the total.
tip_parts as (
    select
        *,
        case when paid_total >= 0 then least(tip_amount, paid_total) else tip_amount end as tip_part
    from paid_totals
),

shipping_parts as (
    select
        *,
        case when paid_total >= 0 then least(shipping_amount, paid_total - tip_part) else shipping_amount end as shipping_price
    from tip_parts
),

tax_parts as (
    select
        *,
        case
            when paid_total < 0 or paid_total is null then known_tax
            when includes_tax then least(known_tax, paid_total - tip_part)
            else least(known_tax, paid_total - tip_part - shipping_price)
        end as tax_part
    from shipping_parts
),

item_prices as (
    select
        *,
        coalesce(
            paid_total - tip_part - shipping_price - case when includes_tax then 0 else tax_part end,
            line_price
        ) as price
    from tax_parts
),

card_parts as (
    select
        *,
        case when price >= 0 then least(line_cards, price) else line_cards end as card_part
    from item_prices
),

-- Tax is spread over goods and shipping, unless the lines have their own.
goods_taxes as (
    select
        *,
        price - card_part as goods_price,
        case
            when tax_part = 0 then 0
            when line_tax is not null and tax_part >= line_tax then line_tax
            else {{ money_share('tax_part', 'price - card_part', 'price - card_part + shipping_price') }}
        end as goods_tax
    from card_parts
),

net_amounts as (
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
    from goods_taxes
),

converted_amounts as (
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
    from net_amounts
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
    -- For order_issues: how lines and total were reconciled.
    has_prices,
    case when is_comparable and not is_card_assumed then fitting_discount is not null end as adds_up,
    discount_basis,
    is_card_assumed,
    difference_amount,
    cast({{ at_rate('line_gross + line_cards', 'exchange_rate') }} as decimal(18, 2)) as line_amount,
    cast({{ at_rate('line_discount', 'exchange_rate') }} as decimal(18, 2)) as line_discount_amount,
    cast({{ at_rate('order_discount', 'exchange_rate') }} as decimal(18, 2)) as order_discount_amount,
    coalesce(shipping_price < shipping_amount or tip_part < tip_amount or tax_part < known_tax, false) as has_more_than_total,
    -- Samples and free items are no purchases. Without prices, every order counts as one.
    net_amount > 0
    or gift_card_sold_amount > 0
    or (net_amount = 0 and net_amount + all_tax_amount + all_shipping_amount + all_tip_amount > 0)
    or (paid_total is null and (n_lines = 0 or not shop_has_prices)) as is_purchase,
    net_amount < 0 as is_return
from converted_amounts
