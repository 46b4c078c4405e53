-- One definition for training and scoring. A row holds only what was known before its cutoff_on. Days count back from
-- counted_on. That is cutoff_on, except on the scoring day: there it is the calendar day of as_of(), as in all other tables.
-- Longer than 120 lines because training and scoring share this one definition, and half of them name features.
{% set sample_size = var('training_rows') // (2 * var('training_cutoffs')) %}
with cutoffs as (
    select * from {{ ref('feature_cutoffs') }}
),

numbered_customers as (
    select
        customer_id,
        {{ day_of('first_seen_at') }} as first_seen_on,
        row_number() over (partition by n_orders > 0 order by customer_id) as place,
        count(*) over (partition by n_orders > 0) as n_like_them
    from {{ ref('customers') }}
),

-- An id is a hash, so the first ids in order are a stable sample.
customers as (
    select
        customer_id,
        first_seen_on,
        place <= {{ sample_size }} as is_sampled,
        cast(n_like_them as {{ double_type() }}) / least(n_like_them, {{ sample_size }}) as sample_weight
    from numbered_customers
),

-- If several channels ask for consent to profiling, the strictest answer counts.
profiling as (
    select
        customer_id,
        count(*) = count(case when is_allowed then 1 end) as may_watch,
        count(case when status in ('denied', 'withdrawn') then 1 end) > 0 as has_refused
    from {{ ref('consents') }}
    where purpose = 'profiling'
    group by customer_id
),

customer_cutoffs as (
    select
        customers.customer_id,
        customers.first_seen_on,
        customers.is_sampled,
        customers.sample_weight,
        coalesce(profiling.may_watch, false) as may_watch,
        cutoffs.cutoff_on,
        cutoffs.counted_on,
        cutoffs.is_scoring
    from customers
    cross join cutoffs
    left join profiling on customers.customer_id = profiling.customer_id
    where (cutoffs.is_scoring or customers.is_sampled) and not coalesce(profiling.has_refused, false)
),

-- Sessions and clicks count only with consent to profiling. For all others they are null.
customer_activity as (
    select
        customer_cutoffs.customer_id,
        customer_cutoffs.cutoff_on,
        activity.activity_on,
        {{ date_diff('activity.activity_on', 'customer_cutoffs.counted_on', 'day') }} as days_ago,
        case when activity.n_orders > 0 then activity.activity_on end as ordered_on,
        case when activity.n_orders > 0 then 1 else 0 end as n_order_days,
        cast(activity.days_since_previous_order as {{ double_type() }}) as gap_days,
        activity.revenue,
        cast(activity.revenue as {{ double_type() }}) * cast(activity.revenue as {{ double_type() }}) as squared_revenue,
        activity.revenue - activity.returned_amount as net_revenue,
        activity.returned_amount,
        activity.discount_amount,
        activity.n_tickets,
        case when customer_cutoffs.may_watch then activity.n_sessions end as n_sessions,
        case when customer_cutoffs.may_watch then activity.n_product_views end as n_product_views,
        case when customer_cutoffs.may_watch then activity.n_cart_adds end as n_cart_adds,
        case when customer_cutoffs.may_watch then activity.n_human_clicks end as n_human_clicks,
        case when customer_cutoffs.may_watch then activity.n_emails_sent end as n_emails_sent
    from customer_cutoffs
    inner join {{ ref('customer_daily_activity') }} as activity
        on customer_cutoffs.customer_id = activity.customer_id and activity.activity_on < customer_cutoffs.cutoff_on
),

-- The only pass over the whole history.
history_totals as (
    select
        customer_id,
        cutoff_on,
        count(ordered_on) as n_order_days,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on,
        cast({{ date_diff('min(ordered_on)', 'max(ordered_on)', 'day') }} as {{ double_type() }}) as ordering_days,
        sum(gap_days * gap_days) as squared_gaps,
        sum(revenue) as gross_revenue,
        sum(net_revenue) as net_revenue,
        -- A sum of doubles depends on the order of its rows, a sum of decimals does not.
        cast(sum(cast(squared_revenue as {{ wide_decimal(38, 4) }})) as {{ double_type() }}) as squared_revenue,
        {{ value_at_max('revenue', 'ordered_on', is_unique=true) }} as last_order_value,
        sum(returned_amount) as returned_amount,
        sum(discount_amount) as discount_amount,
        max(case when n_sessions > 0 then activity_on end) as last_session_on,
        max(case when n_human_clicks > 0 then activity_on end) as last_clicked_on,
        {{ window_sums('n_order_days', [30, 90, 180, 365]) }},
        {{ window_sums('net_revenue', [90, 180, 365]) }},
        {{ window_sums('n_tickets', [90]) }},
        {{ window_sums('n_sessions', [30, 90]) }},
        {{ window_sums('n_product_views', [30, 90]) }},
        {{ window_sums('n_cart_adds', [30, 90]) }},
        {{ window_sums('n_human_clicks', [30, 90]) }},
        {{ window_sums('n_emails_sent', [90]) }}
    from customer_activity
    group by customer_id, cutoff_on
),

first_buys as (
    select
        customer_id,
        category,
        {{ day_of('min(ordered_at)') }} as first_bought_on
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and category is not null
    group by customer_id, category
),

category_counts as (
    select
        customer_cutoffs.customer_id,
        customer_cutoffs.cutoff_on,
        count(*) as n_categories
    from customer_cutoffs
    inner join first_buys
        on customer_cutoffs.customer_id = first_buys.customer_id and first_buys.first_bought_on < customer_cutoffs.cutoff_on
    group by customer_cutoffs.customer_id, customer_cutoffs.cutoff_on
)

select
    customer_cutoffs.customer_id,
    customer_cutoffs.cutoff_on,
    customer_cutoffs.counted_on,
    customer_cutoffs.is_scoring,
    customer_cutoffs.is_sampled,
    customer_cutoffs.sample_weight,
    customer_cutoffs.may_watch,
    cast(greatest(coalesce({{ date_diff('customer_cutoffs.first_seen_on', 'customer_cutoffs.counted_on', 'day') }}, 0), 0) as bigint) as known_days,
    cast(coalesce(history_totals.n_order_days, 0) as bigint) as n_order_days,
    cast(history_totals.n_order_days - 1 as bigint) as frequency,
    cast(history_totals.ordering_days as bigint) as recency_days,
    cast({{ date_diff('history_totals.first_ordered_on', 'customer_cutoffs.counted_on', 'day') }} as bigint) as age_days,
    cast({{ date_diff('history_totals.last_ordered_on', 'customer_cutoffs.counted_on', 'day') }} as bigint) as days_since_last_order,
    history_totals.ordering_days / nullif(history_totals.n_order_days - 1, 0) as mean_gap_days,
    -- Multiplied, because the last digit of power() differs by engine.
    sqrt(greatest(
        coalesce((history_totals.n_order_days - 1) * history_totals.squared_gaps - history_totals.ordering_days * history_totals.ordering_days, 0), 0
    )) / greatest(coalesce(history_totals.n_order_days, 0) - 1, 1) as gap_spread_days,
    cast(coalesce(history_totals.net_revenue, 0) as {{ double_type() }}) as net_revenue,
    cast(history_totals.net_revenue as {{ double_type() }}) / nullif(history_totals.n_order_days, 0) as mean_order_value,
    cast(history_totals.last_order_value as {{ double_type() }}) as last_order_value,
    sqrt(greatest(
        coalesce(
            history_totals.n_order_days * history_totals.squared_revenue
            - cast(history_totals.gross_revenue as {{ double_type() }}) * cast(history_totals.gross_revenue as {{ double_type() }}),
            0
        ),
        0
    )) / greatest(coalesce(history_totals.n_order_days, 0), 1) as order_value_spread,
    cast(history_totals.returned_amount as {{ double_type() }}) / nullif(cast(history_totals.gross_revenue as {{ double_type() }}), 0) as refund_share,
    cast(history_totals.discount_amount as {{ double_type() }})
    / nullif(cast(history_totals.gross_revenue + history_totals.discount_amount as {{ double_type() }}), 0) as discount_share,
    cast(coalesce(category_counts.n_categories, 0) as bigint) as n_categories,
    cast({{ date_diff('history_totals.last_session_on', 'customer_cutoffs.counted_on', 'day') }} as bigint) as days_since_last_session,
    cast({{ date_diff('history_totals.last_clicked_on', 'customer_cutoffs.counted_on', 'day') }} as bigint) as days_since_last_click,
    {% for days in [30, 90, 180, 365] -%}
    cast(coalesce(history_totals.n_order_days_{{ days }}d, 0) as bigint) as n_order_days_{{ days }}d,
    {% endfor -%}
    {% for days in [90, 180, 365] -%}
    cast(coalesce(history_totals.net_revenue_{{ days }}d, 0) as {{ double_type() }}) as net_revenue_{{ days }}d,
    {% endfor -%}
    cast(coalesce(history_totals.n_tickets_90d, 0) as bigint) as n_tickets_90d,
    {% for column in ['n_sessions', 'n_product_views', 'n_cart_adds', 'n_human_clicks'] -%}
    case when customer_cutoffs.may_watch then cast(coalesce(history_totals.{{ column }}_30d, 0) as bigint) end as {{ column }}_30d,
    case when customer_cutoffs.may_watch then cast(coalesce(history_totals.{{ column }}_90d, 0) as bigint) end as {{ column }}_90d,
    {% endfor -%}
    case when customer_cutoffs.may_watch then cast(coalesce(history_totals.n_emails_sent_90d, 0) as bigint) end as n_emails_sent_90d
from customer_cutoffs
left join history_totals
    on customer_cutoffs.customer_id = history_totals.customer_id and customer_cutoffs.cutoff_on = history_totals.cutoff_on
left join category_counts
    on customer_cutoffs.customer_id = category_counts.customer_id and customer_cutoffs.cutoff_on = category_counts.cutoff_on
where customer_cutoffs.is_scoring or customer_cutoffs.first_seen_on < customer_cutoffs.cutoff_on
