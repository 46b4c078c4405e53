select
    customer_id,
    'Viewed ' || {{ counted('n_product_views_1d', 'product page') }} || ' since yesterday (last seen '
    || {{ day_text('last_seen_at') }} || ') and has not ordered since.' as reason
from {{ ref('customers') }}
where
    n_product_views_1d >= {{ var('browsing_min_product_views') }}
    and coalesce({{ day_of('last_ordered_at') }} < {{ days_before(as_of_day(), 1) }}, true)
