-- One definition for training and scoring. A row holds only what was known before its cutoff_on. Days count back from
-- counted_on. That is cutoff_on, except on the scoring day: there it is the calendar day of as_of(), as in all other tables.
{% set windows = {
    'n_order_days': ('case when activity.n_orders > 0 then 1 else 0 end', [30, 90, 180, 365]),
    'net_revenue': ('activity.revenue - activity.returned_amount', [90, 180, 365]),
    'n_tickets': ('activity.n_tickets', [90])
} %}
-- Sessions and clicks count only with consent to profiling. For all others they are null.
{% set watched_windows = {
    'n_sessions': ('activity.n_sessions', [30, 90]),
    'n_product_views': ('activity.n_product_views', [30, 90]),
    'n_cart_adds': ('activity.n_cart_adds', [30, 90]),
    'n_human_clicks': ('activity.n_human_clicks', [30, 90]),
    'n_emails_sent': ('activity.n_emails_sent', [90])
} %}
{% set sample_size = var('training_rows') // (2 * var('training_cutoffs')) %}
{% set sums = [] %}
{% set counts = [] %}
{% for group, condition in [(windows, none), (watched_windows, 'customer_cutoffs.may_watch')] %}
{% for name, (amount, days) in group.items() %}
{% for n in days %}
{% set column = name ~ '_' ~ n ~ 'd' %}
{% set within = (condition ~ ' and ' if condition else '') ~ 'activity.activity_on >= ' ~ days_before('customer_cutoffs.counted_on', n) %}
{% do sums.append('sum(case when ' ~ within ~ ' then ' ~ amount ~ ' else 0 end) as ' ~ column) %}
{% set data_type = double_type() if name == 'net_revenue' else 'bigint' %}
{% set value = 'cast(coalesce(history_totals.' ~ column ~ ', 0) as ' ~ data_type ~ ')' %}
{% do counts.append(('case when ' ~ condition ~ ' then ' ~ value ~ ' end' if condition else value) ~ ' as ' ~ column) %}
{% endfor %}
{% endfor %}
{% endfor %}
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

activity as (
    select
        *,
        cast(days_since_previous_order as {{ double_type() }}) as gap_days,
        cast(revenue as {{ double_type() }}) * cast(revenue as {{ double_type() }}) as squared_revenue
    from {{ ref('customer_daily_activity') }}
),

-- The only pass over the whole history.
history_totals as (
    select
        customer_cutoffs.customer_id,
        customer_cutoffs.cutoff_on,
        count(case when activity.n_orders > 0 then 1 end) as n_order_days,
        min(case when activity.n_orders > 0 then activity.activity_on end) as first_ordered_on,
        max(case when activity.n_orders > 0 then activity.activity_on end) as last_ordered_on,
        cast({{ date_diff(
            'min(case when activity.n_orders > 0 then activity.activity_on end)',
            'max(case when activity.n_orders > 0 then activity.activity_on end)', 'day'
        ) }} as {{ double_type() }}) as ordering_days,
        sum(activity.gap_days * activity.gap_days) as squared_gaps,
        sum(activity.revenue) as gross_revenue,
        sum(activity.revenue - activity.returned_amount) as net_revenue,
        -- A sum of doubles depends on the order of its rows, a sum of decimals does not.
        cast(sum(cast(activity.squared_revenue as {{ wide_decimal(38, 4) }})) as {{ double_type() }}) as squared_revenue,
        {{ value_at_max('activity.revenue', 'case when activity.n_orders > 0 then activity.activity_on end', is_unique=true) }} as last_order_value,
        sum(activity.returned_amount) as returned_amount,
        sum(activity.discount_amount) as discount_amount,
        max(case when customer_cutoffs.may_watch and activity.n_sessions > 0 then activity.activity_on end) as last_session_on,
        max(case when customer_cutoffs.may_watch and activity.n_human_clicks > 0 then activity.activity_on end) as last_clicked_on,
        {{ sums | join(',\n        ') }}
    from customer_cutoffs
    inner join activity
        on customer_cutoffs.customer_id = activity.customer_id and activity.activity_on < customer_cutoffs.cutoff_on
    group by customer_cutoffs.customer_id, customer_cutoffs.cutoff_on
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
    {{ counts | join(',\n    ') }}
from customer_cutoffs
left join history_totals
    on customer_cutoffs.customer_id = history_totals.customer_id and customer_cutoffs.cutoff_on = history_totals.cutoff_on
left join category_counts
    on customer_cutoffs.customer_id = category_counts.customer_id and customer_cutoffs.cutoff_on = category_counts.cutoff_on
where customer_cutoffs.is_scoring or customer_cutoffs.first_seen_on < customer_cutoffs.cutoff_on
