-- Fields that an ESP profile may hold, one column each. The audiences decide which fields leave, and for which customers.
with products as (
    select
        product_id,
        product_name
    from {{ ref('products') }}
),

recommended_products as (
    select
        {% for place in [1, 2, 3] -%}
        max(case when recommendations.product_rank = {{ place }} then recommendations.product_id end) as product_{{ place }},
        max(case when recommendations.product_rank = {{ place }} then products.product_name end) as name_{{ place }},
        {% endfor -%}
        recommendations.customer_id
    from {{ ref('recommendations') }} as recommendations
    left join products on recommendations.product_id = products.product_id
    where recommendations.product_rank <= 3
    group by recommendations.customer_id
),

refills as (
    select * from {{ ref('replenishment_scores') }} where refill_rank = 1
),

-- Sensitive categories never leave.
sensitive as (
    select category from {{ ref('categories') }} where is_sensitive
)

select
    customers.customer_id,
    customers.email,
    customers.first_name,
    customers.language_code,
    customers.country_code,
    stages.stage as lifecycle_stage,
    customers.n_orders,
    {{ day_of('customers.last_ordered_at') }} as last_ordered_on,
    case when sensitive.category is null then customers.top_category end as top_category,
    churn.band as churn_band,
    customer_value.band as value_band,
    -- A past due day says nothing about the next order.
    case when next_orders.due_on >= {{ as_of_day() }} then next_orders.due_on end as next_order_on,
    refills.category as refill_category,
    refills.due_on as refill_on,
    times.best_hour as send_hour,
    times.best_weekday as send_weekday,
    recommended_products.product_1 as recommended_product_1,
    recommended_products.name_1 as recommended_name_1,
    recommended_products.product_2 as recommended_product_2,
    recommended_products.name_2 as recommended_name_2,
    recommended_products.product_3 as recommended_product_3,
    recommended_products.name_3 as recommended_name_3
from {{ ref('customers') }} as customers
left join {{ ref('lifecycle_stages') }} as stages on customers.customer_id = stages.customer_id
left join {{ ref('churn_scores') }} as churn on customers.customer_id = churn.customer_id
left join {{ ref('value_scores') }} as customer_value on customers.customer_id = customer_value.customer_id
left join {{ ref('next_order_scores') }} as next_orders on customers.customer_id = next_orders.customer_id
left join {{ ref('send_time_scores') }} as times on customers.customer_id = times.customer_id
left join refills on customers.customer_id = refills.customer_id
left join recommended_products on customers.customer_id = recommended_products.customer_id
left join sensitive on customers.top_category = sensitive.category
