-- The day begins by the customer's clock. In a year without 29 February, its birthdays are on the 28th.
with birthdays as (
    select
        customer_id,
        birthday,
        {{ customer_zone('time_zone') }} as time_zone
    from {{ ref('customers') }}
    where birthday is not null
),

-- At the turn of the year, the customer's day may be of the year before or after.
days as (
    {% for years in [-1, 0, 1] -%}
    select
        customer_id,
        time_zone,
        cast({{ date_add(
            'year', 'cast(extract(year from ' ~ as_of_day() ~ ') - extract(year from birthday) + ' ~ years ~ ' as integer)', 'birthday'
        ) }} as date) as birthday_on
    from birthdays
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

events as (
    select
        customer_id,
        birthday_on,
        {{ utc_time('cast(birthday_on as timestamp)', 'time_zone') }} as happened_at
    from days
)

select
    customer_id,
    customer_id as subject_id,
    cast(null as {{ dbt.type_string() }}) as subject_name,
    happened_at,
    cast(null as decimal(18, 2)) as amount,
    'Has a birthday on ' || {{ day_text('birthday_on') }} || ', as the customer stated.' as reason
from events
where happened_at > {{ trigger_since() }} and happened_at <= {{ as_of() }}
