-- Contradictions between an order's amounts, and how each was resolved. Rules: docs/money.md.
-- Longer than 120 lines because each of nine issues has a select and a sentence of its own.
{% set subtracted_amounts = {
    'orders': ['base_shop__rated_orders', 'order_id', 'discount_amount', '1 = 1'],
    'order_lines': ['base_shop__order_lines', 'order_line_id', 'discount_amount', 'coalesce(line_amount, ' ~ at_price('quantity', 'unit_price') ~ ') >= 0'],
    'refunds': ['base_shop__refunds', 'refund_id', 'amount', '1 = 1'],
    'gift cards': ['base_shop__rated_orders', 'order_id', 'gift_card_amount', '1 = 1']
} %}
with orders as (
    select
        amounts.*,
        orders.customer_id,
        amounts.shipping_amount + amounts.tip_amount + coalesce(amounts.tax_amount, 0) as other_parts
    from {{ ref('order_amounts') }} as amounts
    inner join {{ ref('orders') }} as orders on amounts.order_id = orders.order_id
),

refunds as (
    select
        refunds.*,
        staged_refunds.order_id as named_order_id,
        staged_refunds.refund_amount as staged_amount
    from {{ ref('refunds') }} as refunds
    inner join {{ ref('stg_shop__refunds') }} as staged_refunds on refunds.refund_id = staged_refunds.refund_id
),

signed_amounts as (
    {% for table, (model, key, column, condition) in subtracted_amounts.items() -%}
    select
        '{{ table }}' as table_name,
        {{ key }} as record_id,
        order_id,
        {{ column }} as amount,
        '{{ column }}' as column_name
    from {{ ref(model) }}
    where reject_reason is null and {{ column }} <> 0 and {{ condition }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

sign_counts as (
    select
        table_name,
        count(case when amount < 0 then 1 end) as n_negative,
        count(case when amount > 0 then 1 end) as n_positive
    from signed_amounts
    group by table_name
),

issues as (
    select
        order_id,
        'total differs from lines' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        difference_amount as amount,
        'The lines add up to ' || {{ money_text('(paid_amount - difference_amount)') }} || ' with discounts, shipping, tax and tip. The total is '
        || {{ money_text('paid_amount') }} || ', ' || {{ money_text('abs(difference_amount)') }}
        || case when difference_amount > 0 then ' more' else ' less' end || '. Revenue uses the total.' as sentence
    from orders
    where not adds_up
    union all
    select
        order_id,
        'discount recorded twice' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        least(abs(line_discount_amount), abs(order_discount_amount)) as amount,
        'The order has a discount of ' || {{ money_text('abs(order_discount_amount)') }} || ', its lines have ' || {{ money_text('abs(line_discount_amount)') }}
        || '. They count once, because '
        || case when adds_up then 'only then do the lines add up to the total.' else 'they are equal.' end as sentence
    from orders
    where discount_basis in ('line', 'order') and line_discount_amount <> 0 and order_discount_amount <> 0
    union all
    select
        order_id,
        'prices include discount' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        discount_amount as amount,
        'The lines add up to the total without the discount of ' || {{ money_text('discount_amount') }} || ', so their prices count as already discounted.' as sentence
    from orders
    where discount_basis = 'none'
    union all
    select
        order_id,
        'probably paid by gift card' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        gift_card_paid_amount as amount,
        'The total is ' || {{ money_text('gift_card_paid_amount') }} || ' less than the lines, and as much was sold in gift cards before. '
        || 'The difference counts as paid by gift card. Column gift_card_amount of orders can state it.' as sentence
    from orders
    where is_card_assumed
    union all
    select
        order_id,
        'parts exceed total' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        total_amount as amount,
        'Shipping, tax and tip exceed the total of ' || {{ money_text('total_amount') }} || '. They count only up to the total.' as sentence
    from orders
    where has_more_than_total
    union all
    select
        order_id,
        'refund recorded twice' as issue,
        refund_id as record_id,
        customer_id,
        staged_amount - refund_amount - excess_amount as amount,
        'Refund ' || refund_id || ' is recorded as a whole and by line. It counts once.' as sentence
    from refunds
    where is_head
    union all
    select
        order_id,
        'refunds exceed payment' as issue,
        refund_id as record_id,
        customer_id,
        excess_amount as amount,
        'With refund ' || refund_id || ', the refunds exceed what was paid for the order by ' || {{ money_text('excess_amount') }}
        || '. The excess does not reduce revenue.' as sentence
    from refunds
    where excess_amount > 0
    union all
    select
        named_order_id as order_id,
        'refund of an order that is not kept' as issue,
        refund_id as record_id,
        customer_id,
        staged_amount as amount,
        'Refund ' || refund_id || ' of ' || {{ hundredths_text('staged_amount') }} || ' is of an order that is not kept. It does not reduce revenue.' as sentence
    from refunds
    where order_id is null and named_order_id is not null
    union all
    select
        signed_amounts.order_id,
        'unusual sign' as issue,
        signed_amounts.record_id || ' ' || signed_amounts.column_name as record_id,
        coalesce(orders.customer_id, refunds.customer_id) as customer_id,
        signed_amounts.amount,
        signed_amounts.column_name || ' of ' || {{ hundredths_text('signed_amounts.amount') }}
        || case when signed_amounts.table_name = 'refunds' then ' in refund ' when signed_amounts.table_name = 'order_lines' then ' in line ' else ' in order ' end
        || signed_amounts.record_id || ' has the opposite sign of most rows. It is subtracted anyway.' as sentence
    from signed_amounts
    inner join sign_counts on signed_amounts.table_name = sign_counts.table_name
    left join orders on signed_amounts.order_id = orders.order_id
    left join refunds on signed_amounts.table_name = 'refunds' and signed_amounts.record_id = refunds.refund_id
    where
        coalesce(orders.customer_id, refunds.customer_id) is not null
        and (
            (signed_amounts.amount < 0 and sign_counts.n_positive >= sign_counts.n_negative)
            or (signed_amounts.amount > 0 and sign_counts.n_negative > sign_counts.n_positive)
        )
)

select
    order_id,
    issue,
    record_id,
    customer_id,
    cast(amount as decimal(18, 2)) as amount,
    sentence
from issues
