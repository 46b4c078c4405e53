-- The price is compared with the one at the customer's last view: a price that fell before was no news to them.
select
    customer_products.customer_id,
    customer_products.product_id as subject_id,
    coalesce(products.product_name, products.product_id) as subject_name,
    products.price_changed_at as happened_at,
    products.price as amount,
    coalesce(products.product_name, products.product_id) || ', viewed on ' || {{ day_text('customer_products.last_viewed_at') }}
    || ', fell from ' || {{ money_text('products.previous_price') }} || ' to ' || {{ money_text('products.price') }} || '.' as reason
from {{ ref('customer_products') }} as customer_products
inner join {{ ref('products') }} as products on customer_products.product_id = products.product_id
where
    products.is_price_lowered
    and products.is_in_stock
    and not coalesce(products.is_sensitive, false)
    and products.price_changed_at > {{ trigger_since() }}
    and products.price_changed_at <= {{ as_of() }}
    and customer_products.last_viewed_at < products.price_changed_at
    and {{ day_of('customer_products.last_viewed_at') }} >= {{ days_before(as_of_day(), var('price_watch_days')) }}
    and coalesce({{ latest_at('customer_products.last_ordered_at') }} < customer_products.first_viewed_at, true)
