-- Similarity of customers without an order to the best buyers: the sum of points over their known traits.
-- Longer than 120 lines because score, named traits and rank are three sums over the same traits.
with people as (
    select customer_id
    from {{ ref('customer_features') }}
    where is_scoring and n_order_days = 0
),

points as (
    select * from {{ ref('trait_points') }}
),

-- One row, even if nothing was learned.
learned_model as (
    select
        max(intercept) as intercept,
        max(method) as method,
        max(model_version) as model_version
    from points
),

-- A sum of doubles depends on the order of its rows, a sum of decimals does not.
offsets as (
    select
        trait,
        cast(sum(cast(points * average as {{ wide_decimal(28, 14) }})) as {{ double_type() }}) as average_points
    from points
    group by trait
),

-- Points of each trait value, relative to the average of customers with that trait. Several values of a trait share it.
trait_scores as (
    select
        traits.customer_id,
        traits.trait,
        traits.trait_value,
        points.chosen_share,
        points.other_share,
        cast(coalesce(points.points, 0) - offsets.average_points / traits.n_values as decimal(18, 8)) as points
    from {{ ref('customer_traits') }} as traits
    inner join offsets on traits.trait = offsets.trait
    left join points on traits.trait = points.trait and traits.trait_value = points.trait_value
    where not traits.has_bought
),

trait_totals as (
    select
        customer_id,
        count(*) as n_traits,
        sum(points) as points
    from trait_scores
    group by customer_id
),

-- Traits below a tenth of a logit are not named, as in the reasons of other scores.
ranked_traits as (
    select
        customer_id,
        {{ trait_text('trait', 'trait_value') }} || ' (' || {{ tenths_text('chosen_share') }} || ' of the best buyers, '
        || {{ tenths_text('other_share') }} || ' of others)' as trait_fact,
        row_number() over (partition by customer_id order by points desc, trait asc, trait_value asc) as place
    from trait_scores
    where points >= 0.1 and chosen_share > other_share
),

facts as (
    select
        customer_id,
        max(case when place = 1 then trait_fact end) as trait_1,
        max(case when place = 2 then trait_fact end) as trait_2,
        max(case when place = 3 then trait_fact end) as trait_3
    from ranked_traits
    group by customer_id
),

likeness_scores as (
    select
        people.customer_id,
        learned_model.method,
        learned_model.model_version,
        case
            when learned_model.method is null then 'nothing_to_learn_from'
            when trait_totals.n_traits > 0 then 'scored'
            else 'nothing_known'
        end as state,
        case
            when trait_totals.n_traits > 0 then 1 / (1 + exp(-(learned_model.intercept + cast(trait_totals.points as {{ double_type() }}))))
        end as likeness,
        facts.trait_1,
        facts.trait_2,
        facts.trait_3
    from people
    cross join learned_model
    left join trait_totals on people.customer_id = trait_totals.customer_id
    left join facts on people.customer_id = facts.customer_id
),

ranked_customers as (
    select
        *,
        case when state = 'scored' then rank() over (partition by state order by likeness desc) end as likeness_rank,
        -- Share of scored customers who are less similar. Ties share a rank.
        cast(rank() over (partition by state order by likeness asc) - 1 as {{ double_type() }}) / count(*) over (partition by state) as rank_share
    from likeness_scores
)

select
    customer_id,
    state,
    likeness,
    cast(likeness_rank as bigint) as likeness_rank,
    case when state = 'scored' then {{ band_of('rank_share', var('value_bands'), 'low') }} end as band,
    trait_1,
    trait_2,
    trait_3,
    case
        when state = 'nothing_to_learn_from' then 'Too few best buyers, or too few known traits, to find what they have in common.'
        when state = 'nothing_known' then 'No known trait to compare with the best buyers.'
        when trait_1 is null then 'No known trait is clearly more common among the best buyers.'
        else 'Like the best buyers: ' || trait_1 || coalesce('; ' || trait_2, '') || coalesce('; ' || trait_3, '') || '.'
    end as reason,
    method as model_used,
    model_version,
    {{ as_of() }} as scored_at
from ranked_customers
