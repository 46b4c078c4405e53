-- Categories of the next basket: the customer's own interest, drawn towards the shop's shares, if that won the back-test.
-- Otherwise the shop's shares alone.
{% set scored_on = scoring_day() %}
with profiled_customers as (
    select customer_id
    from {{ ref('customer_features') }}
    where is_scoring
),

weights as (
    select * from {{ ref('category_weights') }}
),

shares as (
    select * from {{ ref('category_shares') }} where cutoff_on = {{ scored_on }}
),

interests as (
    select * from {{ ref('category_interest') }} where is_scoring
),

candidate_categories as (
    select
        customer_id,
        category
    from interests
    union distinct
    select
        profiled_customers.customer_id,
        shares.category
    from profiled_customers
    cross join shares
    where shares.shop_rank <= 3
),

totals as (
    select
        customer_id,
        cast(sum(interest) as {{ double_type() }}) as own_interest
    from interests
    group by customer_id
),

rated_categories as (
    select
        candidate_categories.customer_id,
        candidate_categories.category,
        weights.method,
        weights.model_version,
        interests.n_products_bought,
        interests.n_products_viewed,
        interests.last_bought_on,
        cast(coalesce(interests.interest, 0) as {{ double_type() }}) / totals.own_interest as affinity,
        case
            when weights.method = 'personal'
                then
                    (cast(coalesce(interests.interest, 0) as {{ double_type() }}) + weights.strength * coalesce(shares.shop_share, 0))
                    / (coalesce(totals.own_interest, 0) + weights.strength)
            else coalesce(shares.shop_share, 0)
        end as probability
    from candidate_categories
    cross join weights
    left join shares on candidate_categories.category = shares.category
    left join interests on candidate_categories.customer_id = interests.customer_id and candidate_categories.category = interests.category
    left join totals on candidate_categories.customer_id = totals.customer_id
),

ranked_categories as (
    select
        *,
        row_number() over (partition by customer_id order by probability desc, category asc) as category_rank
    from rated_categories
)

select
    customer_id,
    cast(category_rank as bigint) as category_rank,
    category,
    probability,
    affinity,
    case
        when n_products_bought > 0
            then
                'Bought ' || {{ counted('n_products_bought', 'product') }} || ' of this category, last on '
                || {{ day_text('last_bought_on') }}
        when n_products_viewed > 0 then 'Viewed ' || {{ counted('n_products_viewed', 'product') }} || ' of this category'
        else 'One of the best-selling categories'
    end || '.' as reason,
    method,
    model_version,
    {{ as_of() }} as scored_at
from ranked_categories
where category_rank <= 3
