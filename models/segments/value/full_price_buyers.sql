select
    customer_id,
    'None of ' || {{ counted('n_orders', 'order') }} || ' was discounted.' as reason
from {{ ref('rfm_scores') }}
where is_full_price_buyer
