-- When customers are active, in their local time: ordering, on the site, or clicking in an e-mail. Several signals within an
-- hour count once. Opens do not count: most come from machines, and human opens follow the hour of sending.
{% set scored_on = scoring_day() %}
with profiled_customers as (
    select
        features.customer_id,
        features.is_sampled,
        customers.time_zone,
        features.may_watch,
        -- Customers of one country keep similar hours. Addresses at a domain of its own are often read at work.
        coalesce(customers.country_code, 'unknown') || case when customers.mailbox_provider = 'other' then ', own domain' else '' end as group_name
    from {{ ref('customer_features') }} as features
    inner join {{ ref('customers') }} as customers on features.customer_id = customers.customer_id
    where features.is_scoring
),

signals as (
    select
        customer_id,
        started_at as seen_at,
        true as is_watched
    from {{ ref('web_sessions') }}
    union all
    select
        customer_id,
        occurred_at as seen_at,
        true as is_watched
    from {{ ref('email_events') }}
    where event_type = 'clicked' and not is_machine
    union all
    select
        customer_id,
        ordered_at as seen_at,
        false as is_watched
    from {{ ref('orders') }}
    where not coalesce(is_renewal, false) and coalesce(sales_channel, 'web') not in ('store', 'phone')
),

-- The window ends on the scoring day, as for every feature.
local_signals as (
    select
        signals.customer_id,
        {{ local_time('signals.seen_at', 'profiled_customers.time_zone') }} as local_at,
        {{ day_of('signals.seen_at') }} >= {{ days_before(scored_on, var('churn_days')) }} as is_recent
    from signals
    inner join profiled_customers on signals.customer_id = profiled_customers.customer_id
    where
        (profiled_customers.may_watch or not signals.is_watched)
        and profiled_customers.time_zone is not null
        and {{ has_time('signals.seen_at') }}
        and {{ day_of('signals.seen_at') }} >= {{ days_before(scored_on, var('send_time_days')) }}
        and {{ day_of('signals.seen_at') }} < {{ scored_on }}
),

hours as (
    select
        customer_id,
        cast(local_at as date) as local_on,
        extract(hour from local_at) as local_hour,
        max(case when is_recent then 1 else 0 end) as is_recent,
        min(extract(hour from local_at)) over (partition by customer_id, cast(local_at as date)) as first_hour
    from local_signals
    group by customer_id, cast(local_at as date), extract(hour from local_at)
),

hour_weekdays as (
    select
        customer_id,
        local_hour,
        is_recent,
        -- 1 is Monday: 1900-01-01 was one. A day counts once.
        case when local_hour = first_hour then 1 + mod({{ date_diff("cast('1900-01-01' as date)", 'local_on', 'day') }}, 7) end as weekday
    from hours
),

slot_counts as (
    select
        {% for prefix, condition in [('', ''), ('recent_', ' and is_recent = 1')] -%}
        {% for hour in range(24) -%}
        count(case when local_hour = {{ hour }}{{ condition }} then 1 end) as {{ prefix }}hour_{{ hour }},
        {% endfor -%}
        {% for weekday in range(1, 8) -%}
        count(case when weekday = {{ weekday }}{{ condition }} then 1 end) as {{ prefix }}weekday_{{ weekday }},
        {% endfor -%}
        {% endfor -%}
        customer_id
    from hour_weekdays
    group by customer_id
)

select
    profiled_customers.customer_id,
    profiled_customers.is_sampled,
    {% for prefix in ['', 'recent_'] -%}
    {% for hour in range(24) -%}
    cast(coalesce(slot_counts.{{ prefix }}hour_{{ hour }}, 0) as bigint) as {{ prefix }}hour_{{ hour }},
    {% endfor -%}
    {% for weekday in range(1, 8) -%}
    cast(coalesce(slot_counts.{{ prefix }}weekday_{{ weekday }}, 0) as bigint) as {{ prefix }}weekday_{{ weekday }},
    {% endfor -%}
    {% endfor -%}
    profiled_customers.group_name
from profiled_customers
left join slot_counts on profiled_customers.customer_id = slot_counts.customer_id
