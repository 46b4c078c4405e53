-- Longer than 120 lines because rhythm, due day and rank of a refill build on one another.
{% set soon_from, soon_until = var('due_soon_days') %}
with purchase_days as (
    select distinct
        lines.customer_id,
        lines.category,
        {{ day_of('lines.ordered_at') }} as ordered_on
    from {{ ref('order_lines') }} as lines
    inner join {{ ref('products') }} as products on lines.product_id = products.product_id
    inner join {{ ref('categories') }} as categories on lines.category = categories.category
    where lines.is_sale and not coalesce(lines.is_renewal, false) and products.is_replenishable and not categories.is_sensitive
),

refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
),

-- Categories delivered by a subscription need no reminder.
subscribed_categories as (
    select distinct
        subscriptions.customer_id,
        products.category
    from {{ ref('subscriptions') }} as subscriptions
    inner join {{ ref('products') }} as products on subscriptions.product_id = products.product_id
    where subscriptions.subscription_status = 'active'
),

purchase_gaps as (
    select
        *,
        lag(ordered_on) over (partition by customer_id, category order by ordered_on) as previous_on
    from purchase_days
),

intervals as (
    select
        *,
        {{ date_diff('previous_on', 'ordered_on', 'day') }} as interval_days
    from purchase_gaps
),

own_rhythms as (
    select
        customer_id,
        category,
        count(interval_days) as n_intervals,
        {{ median('interval_days') }} as rhythm_days,
        max(ordered_on) as last_ordered_on
    from intervals
    group by customer_id, category
),

category_rhythms as (
    select
        category,
        {{ median('interval_days') }} as rhythm_days
    from intervals
    group by category
    having count(interval_days) >= {{ var('category_rhythm_min_intervals') }}
),

rhythms as (
    select
        own_rhythms.customer_id,
        own_rhythms.category,
        own_rhythms.last_ordered_on,
        own_rhythms.n_intervals >= {{ var('rhythm_min_intervals') }} as is_own_rhythm,
        cast(
            case
                when own_rhythms.n_intervals >= {{ var('rhythm_min_intervals') }} then own_rhythms.rhythm_days
                else category_rhythms.rhythm_days
            end as {{ double_type() }}
        ) as rhythm_days
    from own_rhythms
    left join category_rhythms on own_rhythms.category = category_rhythms.category
    left join refusals on own_rhythms.customer_id = refusals.customer_id
    left join subscribed_categories
        on own_rhythms.customer_id = subscribed_categories.customer_id and own_rhythms.category = subscribed_categories.category
    where refusals.customer_id is null and subscribed_categories.customer_id is null
),

dated_rhythms as (
    select
        *,
        cast(floor(rhythm_days + 0.5) as bigint) as whole_days,
        cast({{ date_diff('last_ordered_on', as_of_day(), 'day') }} as bigint) as days_since_last_order,
        {{ days_after('last_ordered_on', 'cast(floor(rhythm_days + 0.5) as bigint)') }} as due_on
    from rhythms
),

awaited_refills as (
    select
        *,
        -- After that, the customer probably bought it elsewhere.
        coalesce(days_since_last_order <= {{ var('replenishment_until') }} * rhythm_days, false) as is_awaited,
        coalesce(
            days_since_last_order >= {{ var('replenishment_min_days') }}
            and days_since_last_order
            between {{ var('replenishment_from') }} * rhythm_days and {{ var('replenishment_until') }} * rhythm_days,
            false
        ) as is_due
    from dated_rhythms
),

-- Refills that are due come first. Among those, the customer's own rhythm comes before the category's.
ranked_refills as (
    select
        *,
        row_number() over (
            partition by customer_id, is_awaited
            order by is_due desc, is_due and is_own_rhythm desc, due_on asc, category asc
        ) as place
    from awaited_refills
)

select
    customer_id,
    category,
    last_ordered_on,
    days_since_last_order,
    is_own_rhythm,
    rhythm_days,
    due_on,
    is_due,
    case when is_awaited then cast(place as bigint) end as refill_rank,
    coalesce({{ date_diff(as_of_day(), 'due_on', 'day') }} between {{ soon_from }} and {{ soon_until }}, false) as is_due_soon,
    'Bought ' || category || ' ' || {{ counted('days_since_last_order', 'day') }} || ' ago (' || {{ day_text('last_ordered_on') }} || ')'
    || coalesce(
        ', and ' || case when is_own_rhythm then 'buys it' else 'people buy it' end || ' every '
        || {{ counted('whole_days', 'day') }},
        ''
    )
    || '.' as reason
from ranked_refills
