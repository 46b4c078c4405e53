-- Products that go together: bought or viewed by the same customers on the same day, in aggregates that show no single
-- basket. Similar products of the category fill in.
-- Longer than 120 lines because pairs from baskets and pairs by likeness share one ranking.
{% set points = var('interest_points') %}
{% set days = var('related_days') %}
with cutoffs as (
    select cutoff_on
    from {{ ref('feature_cutoffs') }}
    where days_back in (0, {{ var('churn_days') }})
),

customers as (
    select
        customer_id,
        may_watch
    from {{ ref('customer_features') }}
    where is_scoring
),

signals as (
    select distinct
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as signal_on,
        'bought' as signal_kind,
        cast(1 as {{ double_type() }}) as weight
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and product_id is not null
    union all
    select
        customer_id,
        product_id,
        viewed_on as signal_on,
        'viewed' as signal_kind,
        cast({{ points['product_view'] }} as {{ double_type() }}) / {{ points['purchase'] }} as weight
    from {{ ref('product_interaction_days') }}
),

baskets as (
    select
        signals.*,
        count(*) over (partition by signals.customer_id, signals.signal_on, signals.signal_kind) as n_products,
        -- Very large baskets are sampled by hash, so the sample does not depend on the product ids.
        row_number() over (
            partition by signals.customer_id, signals.signal_on, signals.signal_kind
            order by {{ dbt.hash('signals.product_id || signals.customer_id') }}, signals.product_id
        ) as place
    from signals
    inner join customers on signals.customer_id = customers.customer_id
    where signals.signal_kind = 'bought' or customers.may_watch
),

basket_products as (
    select
        *,
        -- A pair in a large basket is weaker evidence.
        cast(weight / sqrt(least(n_products, {{ var('basket_max_products') }})) as decimal(18, 8)) as pair_weight
    from baskets
    where place <= {{ var('basket_max_products') }}
),

-- Grouped by customer first: one count(distinct) over all takes twice the time.
customer_pairs as (
    select
        cutoffs.cutoff_on,
        left_product.product_id,
        right_product.product_id as related_product_id,
        sum(left_product.pair_weight) as weight,
        max(case when left_product.signal_kind = 'bought' then 1 else 0 end) as is_bought_together
    from basket_products as left_product
    inner join basket_products as right_product
        on
            left_product.customer_id = right_product.customer_id
            and left_product.signal_on = right_product.signal_on
            and left_product.signal_kind = right_product.signal_kind
            and left_product.product_id <> right_product.product_id
    inner join cutoffs
        on left_product.signal_on < cutoffs.cutoff_on and left_product.signal_on >= {{ days_before('cutoffs.cutoff_on', days) }}
    group by cutoffs.cutoff_on, left_product.product_id, right_product.product_id, left_product.customer_id
),

pairs as (
    select
        cutoff_on,
        product_id,
        related_product_id,
        count(*) as n_customers,
        sum(weight) as weight,
        max(is_bought_together) = 1 as is_bought_together
    from customer_pairs
    group by cutoff_on, product_id, related_product_id
    having count(*) >= {{ var('related_min_customers') }}
),

products as (
    select
        cutoffs.cutoff_on,
        basket_products.product_id,
        sum(cast(basket_products.weight as decimal(18, 8))) as weight
    from basket_products
    inner join cutoffs
        on basket_products.signal_on < cutoffs.cutoff_on and basket_products.signal_on >= {{ days_before('cutoffs.cutoff_on', days) }}
    group by cutoffs.cutoff_on, basket_products.product_id
),

rated_pairs as (
    select
        pairs.*,
        -- Five baskets without the pair are added, so that rare products do not score too high.
        cast(cast(pairs.weight as {{ double_type() }}) / (cast(products.weight as {{ double_type() }}) + 5) as decimal(18, 8)) as likelihood
    from pairs
    inner join products on pairs.cutoff_on = products.cutoff_on and pairs.product_id = products.product_id
),

on_sale as (
    select
        cutoff_on,
        product_id,
        category,
        brand,
        cast(price as {{ double_type() }}) as price,
        row_number() over (partition by cutoff_on, category order by price, product_id) as price_place
    from {{ ref('product_popularity') }}
    where category is not null and price > 0
),

-- Only neighbours by price: pairing a whole large category with itself would be too many rows.
similar_pairs as (
    select
        left_product.cutoff_on,
        left_product.product_id,
        right_product.product_id as related_product_id,
        cast(
            {{ var('similar_likelihood') }} * least(left_product.price, right_product.price) / greatest(left_product.price, right_product.price)
            * case when left_product.brand = right_product.brand then 1 else 0.5 end
            as decimal(18, 8)
        ) as likelihood
    from on_sale as left_product
    inner join on_sale as right_product
        on
            left_product.cutoff_on = right_product.cutoff_on
            and left_product.category = right_product.category
            and right_product.price_place between left_product.price_place - 10 and left_product.price_place + 10
            and left_product.product_id <> right_product.product_id
),

all_pairs as (
    select
        cutoff_on,
        product_id,
        related_product_id,
        likelihood,
        n_customers,
        case when is_bought_together then 'bought_together' else 'viewed_together' end as kind
    from rated_pairs
    union all
    select
        similar_pairs.cutoff_on,
        similar_pairs.product_id,
        similar_pairs.related_product_id,
        similar_pairs.likelihood,
        cast(null as bigint) as n_customers,
        'similar' as kind
    from similar_pairs
    left join rated_pairs
        on
            similar_pairs.cutoff_on = rated_pairs.cutoff_on
            and similar_pairs.product_id = rated_pairs.product_id
            and similar_pairs.related_product_id = rated_pairs.related_product_id
    where rated_pairs.product_id is null
),

ranked_pairs as (
    select
        *,
        row_number() over (
            partition by cutoff_on, product_id, case when kind = 'similar' then 1 else 0 end
            order by likelihood desc, related_product_id asc
        ) as place
    from all_pairs
)

select
    cutoff_on,
    product_id,
    related_product_id,
    likelihood,
    n_customers,
    kind
from ranked_pairs
where place <= 20
