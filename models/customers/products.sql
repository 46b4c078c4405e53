select
    products.product_id,
    products.product_name,
    products.category,
    products.brand,
    products.price,
    products.previous_price,
    products.stock_quantity,
    products.price_changed_at is not null and products.price < products.previous_price as is_price_lowered,
    products.stock_quantity > 0 as is_in_stock,
    products.is_replenishable,
    products.is_gift_card,
    coalesce(categories.is_sensitive, false) as is_sensitive,
    products.price_changed_at,
    products.restocked_at,
    products.created_at,
    products.updated_at
from {{ ref('stg_shop__products') }} as products
left join {{ ref('categories') }} as categories on products.category = categories.category
