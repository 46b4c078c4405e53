-- How alike the people who have never bought are to the best buyers: the points of the traits that are known of them.
with people as (
    select customer_id
    from {{ ref('customer_features') }}
    where is_scoring and n_order_days = 0
),

points as (
    select * from {{ ref('trait_points') }}
),

-- One row, also where nothing was learned.
learned as (
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
        cast(sum(cast(points * average as {{ wide_decimal(28, 14) }})) as {{ dbt.type_float() }}) as average_points
    from points
    group by trait
),

-- What a trait comes to, against those of whom it is known; of several values each has its part of that.
counted as (
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

summed as (
    select
        customer_id,
        count(*) as n_traits,
        sum(points) as points
    from counted
    group by customer_id
),

-- A tenth of a logit, as for the reasons of other scores; less is none.
placed as (
    select
        customer_id,
        {{ trait_text('trait', 'trait_value') }} || ' (' || {{ tenths_text('chosen_share') }} || ' of the best buyers, '
        || {{ tenths_text('other_share') }} || ' of others)' as trait_fact,
        row_number() over (partition by customer_id order by points desc, trait asc, trait_value asc) as place
    from counted
    where points >= 0.1 and chosen_share > other_share
),

facts as (
    select
        customer_id,
        max(case when place = 1 then trait_fact end) as trait_1,
        max(case when place = 2 then trait_fact end) as trait_2,
        max(case when place = 3 then trait_fact end) as trait_3
    from placed
    group by customer_id
),

rated as (
    select
        people.customer_id,
        learned.method,
        learned.model_version,
        case
            when learned.method is null then 'nothing_to_learn_from'
            when summed.n_traits > 0 then 'scored'
            else 'nothing_known'
        end as state,
        case
            when summed.n_traits > 0 then 1 / (1 + exp(-(learned.intercept + cast(summed.points as {{ dbt.type_float() }}))))
        end as likeness,
        facts.trait_1,
        facts.trait_2,
        facts.trait_3
    from people
    cross join learned
    left join summed on people.customer_id = summed.customer_id
    left join facts on people.customer_id = facts.customer_id
),

ranked as (
    select
        *,
        case when state = 'scored' then rank() over (partition by state order by likeness desc) end as likeness_rank,
        -- The part of the scored who are less alike. Equals share a place.
        cast(rank() over (partition by state order by likeness asc) - 1 as {{ dbt.type_float() }}) / count(*) over (partition by state) as rank_share
    from rated
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
        when state = 'nothing_to_learn_from' then 'Too few best buyers, or too little known of them, to tell what sets them apart.'
        when state = 'nothing_known' then 'Nothing is known that sets the best buyers apart.'
        when trait_1 is null then 'No trait of theirs is much more common among the best buyers.'
        else 'Like the best buyers: ' || trait_1 || coalesce('; ' || trait_2, '') || coalesce('; ' || trait_3, '') || '.'
    end as reason,
    method as model_used,
    model_version,
    {{ as_of() }} as scored_at
from ranked
