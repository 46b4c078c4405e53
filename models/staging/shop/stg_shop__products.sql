with products as (
    select * from {{ ref('base_shop__products') }} where reject_reason is null
)

select
    products.product_id,
    products.name as product_name,
    products.category as category_as_given,
    categories.category,
    products.brand,
    products.price,
    products.previous_price,
    products.price_changed_at,
    products.stock_quantity,
    products.restocked_at,
    products.is_replenishable,
    products.unit_cost,
    coalesce(
        products.is_gift_card,
        {{ has_words("coalesce(products.name, '') || ' ' || coalesce(products.category, '') || ' ' || products.product_id", 'gift_card_words') }},
        false
    ) as is_gift_card,
    products.created_at,
    products.updated_at
from products
left join {{ ref('stg_shop__categories') }} as categories on products.category = categories.category_as_given
