-- Nobody who refused profiling is recommended anything, and nobody what is out of stock, what they gave back as often as
-- they bought it, what tells too much, or what they have and nobody buys again.
with refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
),

sold as (
    select
        customer_id,
        product_id,
        count(distinct {{ day_of('ordered_at') }}) as n_days
    from {{ ref('order_lines') }}
    where is_sale
    group by customer_id, product_id
),

given_back as (
    select
        refunds.customer_id,
        refunds.product_id
    from {{ ref('refunds') }} as refunds
    left join sold on refunds.customer_id = sold.customer_id and refunds.product_id = sold.product_id
    where refunds.product_id is not null
    group by refunds.customer_id, refunds.product_id
    having count(distinct {{ day_of('refunds.refunded_at') }}) >= coalesce(max(sold.n_days), 0)
),

bought as (
    select distinct
        lines.customer_id,
        lines.product_id
    from {{ ref('order_lines') }} as lines
    inner join {{ ref('products') }} as products on lines.product_id = products.product_id
    where lines.is_sale and not products.is_replenishable
)

select
    recommendations.customer_id,
    recommendations.product_id
from {{ ref('recommendations') }} as recommendations
inner join {{ ref('products') }} as products on recommendations.product_id = products.product_id
left join refusals on recommendations.customer_id = refusals.customer_id
left join {{ ref('categories') }} as sensitive on products.category = sensitive.category and sensitive.is_sensitive
left join given_back
    on recommendations.customer_id = given_back.customer_id and recommendations.product_id = given_back.product_id
left join bought on recommendations.customer_id = bought.customer_id and recommendations.product_id = bought.product_id
where
    refusals.customer_id is not null
    or not coalesce(products.is_in_stock, true)
    or given_back.product_id is not null
    or sensitive.category is not null
    or bought.product_id is not null
