-- By the customer's own rhythm in a category that is used up where they have one, else by the category's.
with purchase_days as (
    select distinct
        lines.customer_id,
        lines.category,
        cast(lines.ordered_at as date) as ordered_on
    from {{ ref('order_lines') }} as lines
    inner join {{ ref('products') }} as products on lines.product_id = products.product_id
    where lines.is_sale and lines.category is not null and products.is_replenishable
),

spaced as (
    select
        *,
        lag(ordered_on) over (partition by customer_id, category order by ordered_on) as previous_on
    from purchase_days
),

intervals as (
    select
        *,
        {{ dbt.datediff('previous_on', 'ordered_on', 'day') }} as interval_days
    from spaced
),

own_rhythms as (
    select
        customer_id,
        category,
        count(interval_days) as n_intervals,
        median(interval_days) as rhythm_days,
        max(ordered_on) as last_ordered_on
    from intervals
    group by customer_id, category
),

category_rhythms as (
    select
        category,
        median(interval_days) as rhythm_days
    from intervals
    group by category
    having count(interval_days) >= {{ var('category_rhythm_min_intervals') }}
),

rhythms as (
    select
        own_rhythms.customer_id,
        own_rhythms.category,
        own_rhythms.last_ordered_on,
        own_rhythms.n_intervals >= {{ var('rhythm_min_intervals') }} as is_own,
        case
            when own_rhythms.n_intervals >= {{ var('rhythm_min_intervals') }} then own_rhythms.rhythm_days
            else category_rhythms.rhythm_days
        end as rhythm_days,
        {{ dbt.datediff('own_rhythms.last_ordered_on', as_of(), 'day') }} as days_since
    from own_rhythms
    left join category_rhythms on own_rhythms.category = category_rhythms.category
),

ranked as (
    select
        *,
        row_number() over (partition by customer_id order by is_own desc, last_ordered_on desc, category asc) as place
    from rhythms
    where
        days_since >= {{ var('replenishment_min_days') }}
        and days_since between {{ var('replenishment_from') }} * rhythm_days and {{ var('replenishment_until') }} * rhythm_days
)

select
    customer_id,
    'Bought ' || category || ' ' || {{ counted('days_since', 'day') }} || ' ago (' || {{ day_text('last_ordered_on') }}
    || '), and ' || case when is_own then 'buys it' else 'people buy it' end || ' every '
    || cast(cast(floor(rhythm_days + 0.5) as bigint) as {{ dbt.type_string() }}) || ' days.' as reason
from ranked
where place = 1
