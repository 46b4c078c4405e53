-- No category intent belongs to a customer who refused profiling, and none is a sensitive category.
with refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
)

select
    scores.customer_id,
    scores.category
from {{ ref('category_intent_scores') }} as scores
left join refusals on scores.customer_id = refusals.customer_id
left join {{ ref('categories') }} as sensitive on scores.category = sensitive.category and sensitive.is_sensitive
where refusals.customer_id is not null or sensitive.category is not null
