-- GDPR art. 9: no personalisation by categories that reveal health, belief or sex life.
select
    categories.customer_id,
    'AI-personalised' as scope,
    min(categories.last_ordered_at) as since,
    cast(null as timestamp) as until,
    'Bought from a sensitive category.' as reason
from {{ ref('customer_categories') }} as categories
inner join {{ ref('categories') }} as sensitive on categories.category = sensitive.category
where sensitive.is_sensitive
group by categories.customer_id
