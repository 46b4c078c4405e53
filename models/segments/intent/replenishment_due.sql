-- By the customer's own rhythm in a category that is used up where they have one, else by the category's.
with rhythms as (
    select * from {{ ref('replenishment_scores') }}
),

ranked as (
    select
        *,
        row_number() over (partition by customer_id order by is_own_rhythm desc, last_ordered_on desc, category asc) as place
    from rhythms
    where
        days_since_last_order >= {{ var('replenishment_min_days') }}
        and days_since_last_order
        between {{ var('replenishment_from') }} * rhythm_days and {{ var('replenishment_until') }} * rhythm_days
)

select
    customer_id,
    reason
from ranked
where place = 1
