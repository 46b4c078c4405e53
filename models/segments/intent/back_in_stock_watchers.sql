-- Looked at something that is out of stock, or came back since; and did not buy it since. Of several the last counts.
with watched as (
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

ranked as (
    select
        *,
        row_number() over (partition by customer_id order by is_in_stock desc, last_viewed_at desc, product_id asc) as place
    from watched
)

select
    customer_id,
    'Looked at ' || coalesce(product_name, product_id) || ' on ' || {{ day_text('last_viewed_at') }}
    || case
        when is_in_stock then ', which came back into stock on ' || {{ day_text('restocked_at') }}
        else '; it is out of stock'
    end
    || ', and has not bought it since.' as reason
from ranked
where place = 1
