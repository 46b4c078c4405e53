-- New products in a category that the customer asked for. The category with the most of them counts.
with new_products as (
    select
        category,
        count(*) as n_products,
        max(created_at) as newest_at
    from {{ ref('products') }}
    where is_in_stock and not coalesce(is_sensitive, false) and created_at > {{ trigger_since() }} and created_at <= {{ as_of() }}
    group by category
),

matches as (
    select
        customers.customer_id,
        new_products.category,
        new_products.n_products,
        new_products.newest_at,
        row_number() over (
            partition by customers.customer_id order by new_products.n_products desc, new_products.category asc
        ) as place
    from {{ ref('customers') }} as customers
    inner join new_products on ',' || customers.preferred_categories || ',' like '%,' || new_products.category || ',%'
    where customers.preferred_categories is not null
)

select
    customer_id,
    category as subject_id,
    category as subject_name,
    newest_at as happened_at,
    cast(null as decimal(18, 2)) as amount,
    'Asked for news on ' || category || ', with ' || {{ counted('n_products', 'new product') }} || ' by ' || {{ day_text('newest_at') }} || '.'
        as reason
from matches
where place = 1
