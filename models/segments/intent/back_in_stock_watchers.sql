-- Viewed a product that is out of stock or has come back since, and did not buy it. Of several products the last counts.
with watched_products as (
    select
        customer_products.customer_id,
        customer_products.product_id,
        customer_products.last_viewed_at,
        products.product_name,
        products.is_in_stock,
        products.restocked_at
    from {{ ref('customer_products') }} as customer_products
    inner join {{ ref('products') }} as products on customer_products.product_id = products.product_id
    where
        not coalesce(products.is_sensitive, false)
        and {{ day_of('customer_products.last_viewed_at') }} >= {{ days_before(as_of_day(), var('back_in_stock_days')) }}
        and coalesce({{ latest_at('customer_products.last_ordered_at') }} < customer_products.first_viewed_at, true)
        and (
            not products.is_in_stock
            or (products.restocked_at > customer_products.last_viewed_at and products.restocked_at <= {{ as_of() }})
        )
),

ranked_products as (
    select
        *,
        row_number() over (partition by customer_id order by is_in_stock desc, last_viewed_at desc, product_id asc) as place
    from watched_products
)

select
    customer_id,
    'Viewed ' || coalesce(product_name, product_id) || ' on ' || {{ day_text('last_viewed_at') }}
    || case
        when is_in_stock then ', which came back in stock on ' || {{ day_text('restocked_at') }}
        else ', which is out of stock'
    end
    || ', and has not bought it since.' as reason
from ranked_products
where place = 1
