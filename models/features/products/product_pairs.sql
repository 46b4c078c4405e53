-- Which products go together: bought, or looked at, by the same people on the same day (statistics of many, in which
-- nobody's basket can be seen), and else those of one category that are most alike.
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

signs as (
    select distinct
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as signed_on,
        'bought' as sign,
        cast(1 as {{ dbt.type_float() }}) as weight
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and product_id is not null
    union all
    select
        customer_id,
        product_id,
        viewed_on as signed_on,
        'viewed' as sign,
        cast({{ points['product_view'] }} as {{ dbt.type_float() }}) / {{ points['purchase'] }} as weight
    from {{ ref('product_interaction_days') }}
),

baskets as (
    select
        signs.*,
        count(*) over (partition by signs.customer_id, signs.signed_on, signs.sign) as n_products,
        -- Of a very large basket a part that does not depend on what the products are called.
        row_number() over (
            partition by signs.customer_id, signs.signed_on, signs.sign
            order by {{ dbt.hash('signs.product_id || signs.customer_id') }}, signs.product_id
        ) as place
    from signs
    inner join customers on signs.customer_id = customers.customer_id
    where signs.sign = 'bought' or customers.may_watch
),

bounded as (
    select
        *,
        -- To go together in a large basket says less.
        cast(weight / sqrt(least(n_products, {{ var('basket_max_products') }})) as decimal(18, 8)) as pair_weight
    from baskets
    where place <= {{ var('basket_max_products') }}
),

-- By customer first: to count the different ones in one go is twice the work.
customer_pairs as (
    select
        cutoffs.cutoff_on,
        one.product_id,
        other.product_id as related_product_id,
        sum(one.pair_weight) as weight,
        max(case when one.sign = 'bought' then 1 else 0 end) as is_bought_together
    from bounded as one
    inner join bounded as other
        on
            one.customer_id = other.customer_id
            and one.signed_on = other.signed_on
            and one.sign = other.sign
            and one.product_id <> other.product_id
    inner join cutoffs
        on one.signed_on < cutoffs.cutoff_on and one.signed_on >= {{ days_before('cutoffs.cutoff_on', days) }}
    group by cutoffs.cutoff_on, one.product_id, other.product_id, one.customer_id
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
        bounded.product_id,
        sum(cast(bounded.weight as decimal(18, 8))) as weight
    from bounded
    inner join cutoffs
        on bounded.signed_on < cutoffs.cutoff_on and bounded.signed_on >= {{ days_before('cutoffs.cutoff_on', days) }}
    group by cutoffs.cutoff_on, bounded.product_id
),

rated as (
    select
        pairs.*,
        -- A product that few have bought has not shown yet what goes with it: five more baskets without are assumed.
        cast(cast(pairs.weight as {{ dbt.type_float() }}) / (cast(products.weight as {{ dbt.type_float() }}) + 5) as decimal(18, 8)) as likelihood
    from pairs
    inner join products on pairs.cutoff_on = products.cutoff_on and pairs.product_id = products.product_id
),

on_sale as (
    select
        cutoff_on,
        product_id,
        category,
        brand,
        cast(price as {{ dbt.type_float() }}) as price,
        row_number() over (partition by cutoff_on, category order by price, product_id) as price_place
    from {{ ref('product_popularity') }}
    where category is not null and price > 0
),

-- The neighbours by price only, for a large category not to be paired with itself.
alike as (
    select
        one.cutoff_on,
        one.product_id,
        other.product_id as related_product_id,
        cast(
            {{ var('similar_likelihood') }} * least(one.price, other.price) / greatest(one.price, other.price)
            * case when one.brand = other.brand then 1 else 0.5 end
            as decimal(18, 8)
        ) as likelihood
    from on_sale as one
    inner join on_sale as other
        on
            one.cutoff_on = other.cutoff_on
            and one.category = other.category
            and other.price_place between one.price_place - 10 and one.price_place + 10
            and one.product_id <> other.product_id
),

all_pairs as (
    select
        cutoff_on,
        product_id,
        related_product_id,
        likelihood,
        n_customers,
        case when is_bought_together then 'bought_together' else 'viewed_together' end as kind
    from rated
    union all
    select
        alike.cutoff_on,
        alike.product_id,
        alike.related_product_id,
        alike.likelihood,
        cast(null as bigint) as n_customers,
        'similar' as kind
    from alike
    left join rated
        on
            alike.cutoff_on = rated.cutoff_on
            and alike.product_id = rated.product_id
            and alike.related_product_id = rated.related_product_id
    where rated.product_id is null
),

ranked as (
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
from ranked
where place <= 20
