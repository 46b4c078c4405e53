-- One definition for training and scoring. What a row says was known before its cutoff_on. Days count back from counted_on:
-- the same day, but of what is scored the calendar day of as_of(), from which all other tables count.
{% set windows = {
    'n_order_days': ('case when activity.n_orders > 0 then 1 else 0 end', [30, 90, 180, 365]),
    'net_revenue': ('activity.revenue - activity.returned_amount', [90, 180, 365]),
    'n_tickets': ('activity.n_tickets', [90])
} %}
-- What people look at and click is theirs to share: it counts for those who agreed to profiling, and is unknown of
-- others.
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
{% for group, condition in [(windows, none), (watched_windows, 'described.may_watch')] %}
{% for name, (amount, days) in group.items() %}
{% for n in days %}
{% set column = name ~ '_' ~ n ~ 'd' %}
{% set within = (condition ~ ' and ' if condition else '') ~ 'activity.activity_on >= ' ~ days_before('described.counted_on', n) %}
{% do sums.append('sum(case when ' ~ within ~ ' then ' ~ amount ~ ' else 0 end) as ' ~ column) %}
{% set data_type = dbt.type_float() if name == 'net_revenue' else 'bigint' %}
{% set value = 'cast(coalesce(summed.' ~ column ~ ', 0) as ' ~ data_type ~ ')' %}
{% do counts.append(('case when ' ~ condition ~ ' then ' ~ value ~ ' end' if condition else value) ~ ' as ' ~ column) %}
{% endfor %}
{% endfor %}
{% endfor %}
with cutoffs as (
    select * from {{ ref('feature_cutoffs') }}
),

numbered as (
    select
        customer_id,
        {{ day_of('first_seen_at') }} as first_seen_on,
        row_number() over (partition by n_orders > 0 order by customer_id) as place,
        count(*) over (partition by n_orders > 0) as n_like_them
    from {{ ref('customers') }}
),

-- An id is a hash, so the first in order are a sample that is the same each time.
customers as (
    select
        customer_id,
        first_seen_on,
        place <= {{ sample_size }} as is_sampled,
        cast(n_like_them as {{ dbt.type_float() }}) / least(n_like_them, {{ sample_size }}) as sample_weight
    from numbered
),

-- Where consent to profiling is asked for on several channels, the strictest answer counts.
profiling as (
    select
        customer_id,
        count(*) = count(case when is_allowed then 1 end) as may_watch,
        count(case when status in ('denied', 'withdrawn') then 1 end) > 0 as has_refused
    from {{ ref('consents') }}
    where purpose = 'profiling'
    group by customer_id
),

described as (
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
        cast(days_since_previous_order as {{ dbt.type_float() }}) as gap_days,
        cast(revenue as {{ dbt.type_float() }}) * cast(revenue as {{ dbt.type_float() }}) as squared_revenue
    from {{ ref('customer_daily_activity') }}
),

-- The one pass over the compressed history.
summed as (
    select
        described.customer_id,
        described.cutoff_on,
        count(case when activity.n_orders > 0 then 1 end) as n_order_days,
        min(case when activity.n_orders > 0 then activity.activity_on end) as first_ordered_on,
        max(case when activity.n_orders > 0 then activity.activity_on end) as last_ordered_on,
        cast({{ dbt.datediff(
            'min(case when activity.n_orders > 0 then activity.activity_on end)',
            'max(case when activity.n_orders > 0 then activity.activity_on end)', 'day'
        ) }} as {{ dbt.type_float() }}) as ordering_days,
        sum(activity.gap_days * activity.gap_days) as squared_gaps,
        sum(activity.revenue) as gross_revenue,
        sum(activity.revenue - activity.returned_amount) as net_revenue,
        -- A sum of doubles depends on the order of its rows, a sum of decimals does not.
        cast(sum(cast(activity.squared_revenue as {{ wide_decimal(38, 4) }})) as {{ dbt.type_float() }}) as squared_revenue,
        {{ value_at_max('activity.revenue', 'case when activity.n_orders > 0 then activity.activity_on end', is_unique=true) }} as last_order_value,
        sum(activity.returned_amount) as returned_amount,
        sum(activity.discount_amount) as discount_amount,
        max(case when described.may_watch and activity.n_sessions > 0 then activity.activity_on end) as last_session_on,
        max(case when described.may_watch and activity.n_human_clicks > 0 then activity.activity_on end) as last_clicked_on,
        {{ sums | join(',\n        ') }}
    from described
    inner join activity
        on described.customer_id = activity.customer_id and activity.activity_on < described.cutoff_on
    group by described.customer_id, described.cutoff_on
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

breadth as (
    select
        described.customer_id,
        described.cutoff_on,
        count(*) as n_categories
    from described
    inner join first_buys
        on described.customer_id = first_buys.customer_id and first_buys.first_bought_on < described.cutoff_on
    group by described.customer_id, described.cutoff_on
)

select
    described.customer_id,
    described.cutoff_on,
    described.counted_on,
    described.is_scoring,
    described.is_sampled,
    described.sample_weight,
    described.may_watch,
    cast(greatest(coalesce({{ dbt.datediff('described.first_seen_on', 'described.counted_on', 'day') }}, 0), 0) as bigint) as known_days,
    cast(coalesce(summed.n_order_days, 0) as bigint) as n_order_days,
    cast(summed.n_order_days - 1 as bigint) as frequency,
    cast(summed.ordering_days as bigint) as recency_days,
    cast({{ dbt.datediff('summed.first_ordered_on', 'described.counted_on', 'day') }} as bigint) as age_days,
    cast({{ dbt.datediff('summed.last_ordered_on', 'described.counted_on', 'day') }} as bigint) as days_since_last_order,
    summed.ordering_days / nullif(summed.n_order_days - 1, 0) as mean_gap_days,
    -- Multiplied, not raised to a power, whose last digit is the engine's.
    sqrt(greatest(
        coalesce((summed.n_order_days - 1) * summed.squared_gaps - summed.ordering_days * summed.ordering_days, 0), 0
    )) / greatest(coalesce(summed.n_order_days, 0) - 1, 1) as gap_spread_days,
    cast(coalesce(summed.net_revenue, 0) as {{ dbt.type_float() }}) as net_revenue,
    cast(summed.net_revenue as {{ dbt.type_float() }}) / nullif(summed.n_order_days, 0) as mean_order_value,
    cast(summed.last_order_value as {{ dbt.type_float() }}) as last_order_value,
    sqrt(greatest(
        coalesce(
            summed.n_order_days * summed.squared_revenue
            - cast(summed.gross_revenue as {{ dbt.type_float() }}) * cast(summed.gross_revenue as {{ dbt.type_float() }}),
            0
        ),
        0
    )) / greatest(coalesce(summed.n_order_days, 0), 1) as order_value_spread,
    cast(summed.returned_amount as {{ dbt.type_float() }}) / nullif(cast(summed.gross_revenue as {{ dbt.type_float() }}), 0) as refund_share,
    cast(summed.discount_amount as {{ dbt.type_float() }})
    / nullif(cast(summed.gross_revenue + summed.discount_amount as {{ dbt.type_float() }}), 0) as discount_share,
    cast(coalesce(breadth.n_categories, 0) as bigint) as n_categories,
    cast({{ dbt.datediff('summed.last_session_on', 'described.counted_on', 'day') }} as bigint) as days_since_last_session,
    cast({{ dbt.datediff('summed.last_clicked_on', 'described.counted_on', 'day') }} as bigint) as days_since_last_click,
    {{ counts | join(',\n    ') }}
from described
left join summed on described.customer_id = summed.customer_id and described.cutoff_on = summed.cutoff_on
left join breadth on described.customer_id = breadth.customer_id and described.cutoff_on = breadth.cutoff_on
where described.is_scoring or described.first_seen_on < described.cutoff_on
