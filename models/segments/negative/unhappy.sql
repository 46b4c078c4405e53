select
    customer_id,
    'Last rated support ' || cast(last_satisfaction as {{ dbt.type_string() }}) || ' of 5 (ticket of '
    || {{ day_text('last_rated_ticket_at') }} || ').' as reason
from {{ ref('customers') }}
where
    last_satisfaction <= {{ var('unhappy_max_satisfaction') }}
    and {{ day_of('last_rated_ticket_at') }} >= {{ days_before(as_of_day(), var('unhappy_days')) }}
