select
    product_id,
    product_name,
    category,
    brand,
    price,
    previous_price,
    stock_quantity,
    price_changed_at is not null and price < previous_price as is_price_lowered,
    stock_quantity > 0 as is_in_stock,
    is_replenishable,
    price_changed_at,
    restocked_at,
    created_at,
    updated_at
from {{ ref('stg_shop__products') }}
