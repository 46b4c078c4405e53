select
    customer_products.customer_id,
    customer_products.product_id as subject_id,
    coalesce(products.product_name, products.product_id) as subject_name,
    products.restocked_at as happened_at,
    products.price as amount,
    'Viewed ' || coalesce(products.product_name, products.product_id) || ' on ' || {{ day_text('customer_products.last_viewed_at') }}
    || ', which came back in stock on ' || {{ day_text('products.restocked_at') }} || '.' as reason
from {{ ref('customer_products') }} as customer_products
inner join {{ ref('products') }} as products on customer_products.product_id = products.product_id
where
    products.is_in_stock
    and not coalesce(products.is_sensitive, false)
    and products.restocked_at > {{ trigger_since() }}
    and products.restocked_at <= {{ as_of() }}
    and customer_products.last_viewed_at < products.restocked_at
    and {{ day_of('customer_products.last_viewed_at') }} >= {{ days_before(as_of_day(), var('back_in_stock_days')) }}
    and coalesce({{ latest_at('customer_products.last_ordered_at') }} < customer_products.first_viewed_at, true)
