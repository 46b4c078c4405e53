{% set weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
with customers as (
    select
        customer_id,
        time_zone,
        coalesce(country_code, 'an unknown country') as country,
        {{ local_time(as_of(), 'time_zone') }} as local_now
    from {{ ref('customers') }}
),

predictions as (
    select
        *,
        {{ slot_at_max('hour_', range(*var('send_hours'))) }} as best_hour,
        {{ slot_at_max('hour_', range(*var('business_hours'))) }} as best_business_hour,
        {{ slot_at_max('weekday_', range(1, 8)) }} as best_weekday,
        {{ slot_at_max('weekday_', range(1, 6)) }} as best_business_day
    from {{ ref('send_time_predictions') }}
),

refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
),

customer_hours as (
    select
        customers.customer_id,
        customers.time_zone,
        customers.country,
        customers.local_now,
        predictions.n_signals,
        predictions.personal_weight,
        predictions.best_hour,
        predictions.best_business_hour,
        predictions.best_weekday,
        predictions.best_business_day,
        predictions.model_version,
        refusals.customer_id is not null as has_refused,
        predictions.personal_weight > 0 as is_personal,
        {{ date_add('hour', 'predictions.best_hour', 'cast(cast(customers.local_now as date) as timestamp)') }} as today_at,
        {{ date_add('hour', 'predictions.best_hour + 24', 'cast(cast(customers.local_now as date) as timestamp)') }} as tomorrow_at
    from customers
    left join predictions on customers.customer_id = predictions.customer_id
    left join refusals on customers.customer_id = refusals.customer_id
)

select
    customer_id,
    case
        when best_hour is not null and is_personal then 'personal'
        when best_hour is not null then 'no_personal_signal'
        when has_refused then 'refused_profiling'
        else 'nothing_to_learn_from'
    end as state,
    time_zone,
    cast(best_hour as bigint) as best_hour,
    case best_weekday {% for day in weekdays %}when {{ loop.index }} then '{{ day }}' {% endfor %}end as best_weekday,
    cast(best_business_hour as bigint) as best_business_hour,
    case best_business_day {% for day in weekdays %}when {{ loop.index }} then '{{ day }}' {% endfor %}end as best_business_day,
    n_signals,
    personal_weight,
    {{ utc_time('case when today_at > local_now then today_at else tomorrow_at end', 'time_zone') }} as next_send_at,
    case
        when is_personal
            then
                'Active in ' || {{ counted('n_signals', 'hour') }} || ' of the last ' || {{ counted(var('send_time_days'), 'day') }}
                || ', best reached'
        when best_hour is not null
            then
                case when n_signals > 0 then 'Own activity adds nothing' else 'No activity on record' end
                || ': customers in ' || country || ' are best reached'
    end || ' around ' || {{ hour_text('best_hour') }} || '.' as reason,
    model_version,
    {{ as_of() }} as scored_at
from customer_hours
