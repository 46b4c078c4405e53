-- If more orders than var max_flawed_share do not add up, a column is missing or means something else.
{{ config(severity='warn') }}
with order_counts as (
    select
        count(case when adds_up is not null then 1 end) as n_orders,
        count(case when not adds_up then 1 end) as n_issues,
        sum(case when not adds_up then difference_amount else 0 end) as difference
    from {{ ref('order_amounts') }}
)

select
    'shop.orders: the lines of ' || cast(n_issues as {{ dbt.type_string() }}) || ' of ' || {{ counted('n_orders', 'order') }}
    || ' do not add up to the total. The totals differ by ' || {{ money_text('difference') }}
    || ' in all. Revenue uses the total. Add tax_amount, tip_amount or gift_card_amount if the total includes them. Table order_issues lists each order.' as sentence
from order_counts
where n_issues > n_orders * case when n_orders >= 20 then {{ var('max_flawed_share') }} else {{ [0.5, var('max_flawed_share')] | max }} end
