-- Each customer's interest by category, from products bought and viewed. Sensitive categories are left out.
with interests as (
    select * from {{ ref('product_interest') }} where interest > 0
),

products as (
    select
        products.product_id,
        products.category
    from {{ ref('products') }} as products
    left join {{ ref('categories') }} as sensitive on products.category = sensitive.category and sensitive.is_sensitive
    where products.category is not null and sensitive.category is null
)

select
    interests.customer_id,
    interests.cutoff_on,
    interests.is_scoring,
    products.category,
    cast(sum(interests.interest) as decimal(18, 8)) as interest,
    cast(count(case when interests.n_days_bought > 0 then 1 end) as bigint) as n_products_bought,
    cast(count(case when interests.n_days_viewed > 0 then 1 end) as bigint) as n_products_viewed,
    max(interests.last_bought_on) as last_bought_on
from interests
inner join products on interests.product_id = products.product_id
group by interests.customer_id, interests.cutoff_on, interests.is_scoring, products.category
