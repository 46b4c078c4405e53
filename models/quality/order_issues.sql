-- What a shop says of an order and does not agree with itself on, and what was taken for right. Rules: docs/money.md.
{% set taken_off = {
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
        given.order_id as order_id_given,
        given.refund_amount as amount_given
    from {{ ref('refunds') }} as refunds
    inner join {{ ref('stg_shop__refunds') }} as given on refunds.refund_id = given.refund_id
),

signed as (
    {% for table, (model, key, column, condition) in taken_off.items() -%}
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

signs as (
    select
        table_name,
        count(case when amount < 0 then 1 end) as n_negative,
        count(case when amount > 0 then 1 end) as n_positive
    from signed
    group by table_name
),

issues as (
    select
        order_id,
        'total is not what the lines make' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        difference_amount as amount,
        'Its lines come to ' || {{ money_text('(paid_amount - difference_amount)') }} || ' with discounts, shipping, tax and tip, its total says '
        || {{ money_text('paid_amount') }} || ': ' || {{ money_text('abs(difference_amount)') }}
        || case when difference_amount > 0 then ' more' else ' less' end || '. Revenue goes by the total.' as sentence
    from orders
    where not adds_up
    union all
    select
        order_id,
        'one discount stands twice' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        least(abs(line_discount_amount), abs(order_discount_amount)) as amount,
        'A discount of ' || {{ money_text('abs(order_discount_amount)') }} || ' stands on the order and one of ' || {{ money_text('abs(line_discount_amount)') }}
        || ' on its lines. They are taken for one: '
        || case when adds_up then 'only so they make the total.' else 'they are the same.' end as sentence
    from orders
    where discount_basis in ('line', 'order') and line_discount_amount <> 0 and order_discount_amount <> 0
    union all
    select
        order_id,
        'discount is in the prices' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        discount_amount as amount,
        'Its lines make the total without the discount of ' || {{ money_text('discount_amount') }} || ': their prices are taken to be after it.' as sentence
    from orders
    where discount_basis = 'none'
    union all
    select
        order_id,
        'paid by gift card, it seems' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        gift_card_paid_amount as amount,
        'Its total is ' || {{ money_text('gift_card_paid_amount') }} || ' less than its lines, and as much was sold in gift cards before: '
        || 'that is taken to be paid by one. Column gift_card_amount of orders can say so.' as sentence
    from orders
    where is_card_assumed
    union all
    select
        order_id,
        'parts are more than the total' as issue,
        cast(null as {{ dbt.type_string() }}) as record_id,
        customer_id,
        total_amount as amount,
        'Shipping, tax and tip are more than the total of ' || {{ money_text('total_amount') }} || ': they count as far as it goes.' as sentence
    from orders
    where has_more_than_total
    union all
    select
        order_id,
        'refund stands twice' as issue,
        refund_id as record_id,
        customer_id,
        amount_given - refund_amount - excess_amount as amount,
        'Refund ' || refund_id || ' stands as a whole and by lines: it counts once.' as sentence
    from refunds
    where is_head
    union all
    select
        order_id,
        'more given back than paid' as issue,
        refund_id as record_id,
        customer_id,
        excess_amount as amount,
        'With refund ' || refund_id || ' more was given back than was paid for the order, by ' || {{ money_text('excess_amount') }}
        || ': that takes nothing from revenue.' as sentence
    from refunds
    where excess_amount > 0
    union all
    select
        order_id_given as order_id,
        'refund of an order that is not kept' as issue,
        refund_id as record_id,
        customer_id,
        amount_given as amount,
        'Refund ' || refund_id || ' of ' || {{ hundredths_text('amount_given') }} || ' is of an order that is not kept: it takes nothing from revenue.' as sentence
    from refunds
    where order_id is null and order_id_given is not null
    union all
    select
        signed.order_id,
        'other sign than most' as issue,
        signed.record_id || ' ' || signed.column_name as record_id,
        coalesce(orders.customer_id, refunds.customer_id) as customer_id,
        signed.amount,
        signed.column_name || ' of ' || {{ hundredths_text('signed.amount') }}
        || case when signed.table_name = 'refunds' then ' in refund ' when signed.table_name = 'order_lines' then ' in line ' else ' in order ' end
        || signed.record_id || ' has another sign than most: it is taken off all the same.' as sentence
    from signed
    inner join signs on signed.table_name = signs.table_name
    left join orders on signed.order_id = orders.order_id
    left join refunds on signed.table_name = 'refunds' and signed.record_id = refunds.refund_id
    where
        coalesce(orders.customer_id, refunds.customer_id) is not null
        and (
            (signed.amount < 0 and signs.n_positive >= signs.n_negative)
            or (signed.amount > 0 and signs.n_negative > signs.n_positive)
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
