-- Lookalikes are customers without an order who have not refused profiling. No trait is a sensitive category.
with refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
)

select scores.customer_id
from {{ ref('lookalike_scores') }} as scores
inner join {{ ref('customers') }} as customers on scores.customer_id = customers.customer_id
left join refusals on scores.customer_id = refusals.customer_id
where customers.n_orders > 0 or refusals.customer_id is not null
union all
select traits.customer_id
from {{ ref('customer_traits') }} as traits
inner join {{ ref('categories') }} as sensitive on traits.trait_value = sensitive.category and sensitive.is_sensitive
