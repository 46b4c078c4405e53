-- No recommendation goes to a customer who refused profiling. None is out of stock, sensitive, refunded as often as bought,
-- or an already bought product that is not replenishable.
with refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
),

purchase_days as (
    select
        customer_id,
        product_id,
        count(distinct {{ day_of('ordered_at') }}) as n_days
    from {{ ref('order_lines') }}
    where is_sale
    group by customer_id, product_id
),

refunded_products as (
    select
        refunds.customer_id,
        refunds.product_id
    from {{ ref('refunds') }} as refunds
    left join purchase_days on refunds.customer_id = purchase_days.customer_id and refunds.product_id = purchase_days.product_id
    where refunds.product_id is not null
    group by refunds.customer_id, refunds.product_id
    having count(distinct {{ day_of('refunds.refunded_at') }}) >= coalesce(max(purchase_days.n_days), 0)
),

owned_products as (
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
left join refunded_products
    on recommendations.customer_id = refunded_products.customer_id and recommendations.product_id = refunded_products.product_id
left join owned_products
    on recommendations.customer_id = owned_products.customer_id and recommendations.product_id = owned_products.product_id
where
    refusals.customer_id is not null
    or not coalesce(products.is_in_stock, true)
    or refunded_products.product_id is not null
    or sensitive.category is not null
    or owned_products.product_id is not null
