-- When people are there, by their own clocks: ordering, on the site, or clicking in an e-mail. Being there twice within
-- an hour counts once. Opens say nothing here: most are machines', and those that are not follow the hour of sending.
{% set scored_on = scoring_day() %}
{% set counts = [] %}
{% set sums = [] %}
{% for prefix, condition in [('', ''), ('recent_', ' and is_recent = 1')] %}
{% for name, slot, slots in [('hour', 'local_hour', range(24)), ('weekday', 'weekday', range(1, 8))] %}
{% for n in slots %}
{% do sums.append('count(case when ' ~ slot ~ ' = ' ~ n ~ condition ~ ' then 1 end) as ' ~ prefix ~ name ~ '_' ~ n) %}
{% do counts.append('cast(coalesce(summed.' ~ prefix ~ name ~ '_' ~ n ~ ', 0) as bigint) as ' ~ prefix ~ name ~ '_' ~ n) %}
{% endfor %}
{% endfor %}
{% endfor %}
with described as (
    select
        features.customer_id,
        features.is_sampled,
        customers.time_zone,
        features.may_watch,
        -- People of one country keep similar hours, and those who read at work others than at home.
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

-- The window closes on the scoring day, as that of every feature does.
seen as (
    select
        signals.customer_id,
        {{ local_time('signals.seen_at', 'described.time_zone') }} as local_at,
        {{ day_of('signals.seen_at') }} >= {{ days_before(scored_on, var('churn_days')) }} as is_recent
    from signals
    inner join described on signals.customer_id = described.customer_id
    where
        (described.may_watch or not signals.is_watched)
        and described.time_zone is not null
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
    from seen
    group by customer_id, cast(local_at as date), extract(hour from local_at)
),

placed as (
    select
        customer_id,
        local_hour,
        is_recent,
        -- 1 is Monday, as 1900-01-01 was; a day counts once.
        case when local_hour = first_hour then 1 + mod({{ dbt.datediff("cast('1900-01-01' as date)", 'local_on', 'day') }}, 7) end as weekday
    from hours
),

summed as (
    select
        customer_id,
        {{ sums | join(',\n        ') }}
    from placed
    group by customer_id
)

select
    described.customer_id,
    described.is_sampled,
    described.group_name,
    {{ counts | join(',\n    ') }}
from described
left join summed on described.customer_id = summed.customer_id
