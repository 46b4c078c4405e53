-- Viewed a product repeatedly or before its price fell, and did not buy it. Of several products the last counts.
with watched_products as (
    select
        customer_products.customer_id,
        customer_products.product_id,
        customer_products.n_days_viewed,
        customer_products.last_viewed_at,
        products.product_name,
        coalesce(
            products.is_price_lowered
            and products.price_changed_at > customer_products.last_viewed_at
            and products.price_changed_at <= {{ as_of() }},
            false
        ) as has_become_cheaper,
        products.price,
        products.previous_price
    from {{ ref('customer_products') }} as customer_products
    inner join {{ ref('products') }} as products on customer_products.product_id = products.product_id
    where
        not coalesce(products.is_sensitive, false)
        and customer_products.n_views > 0
        and {{ day_of('customer_products.last_viewed_at') }} >= {{ days_before(as_of_day(), var('price_watch_days')) }}
        and coalesce({{ latest_at('customer_products.last_ordered_at') }} < customer_products.first_viewed_at, true)
),

ranked_products as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by has_become_cheaper desc, last_viewed_at desc, product_id asc
        ) as place
    from watched_products
    where has_become_cheaper or n_days_viewed >= {{ var('price_watch_min_days_viewed') }}
)

select
    customer_id,
    'Viewed ' || coalesce(product_name, product_id) || ' on ' || {{ counted('n_days_viewed', 'day') }} || ', last on '
    || {{ day_text('last_viewed_at') }} || ', and has not bought it since'
    || case
        when has_become_cheaper
            then
                ', although its price fell from ' || cast(previous_price as {{ dbt.type_string() }}) || ' to '
                || cast(price as {{ dbt.type_string() }}) || ' {{ var("currency") }}'
        else ''
    end
    || '.' as reason
from ranked_products
where place = 1
