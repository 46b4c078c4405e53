-- GDPR art. 9: what lets health, belief or sex life be guessed steers nothing.
select
    categories.customer_id,
    'AI-personalised' as scope,
    min(categories.last_ordered_at) as since,
    cast(null as timestamp) as until,
    'Bought from a category that tells too much.' as reason
from {{ ref('customer_categories') }} as categories
inner join {{ ref('categories') }} as sensitive on categories.category = sensitive.category
where sensitive.is_sensitive
group by categories.customer_id
