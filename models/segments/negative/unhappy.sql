select
    customer_id,
    'Rated support ' || cast(last_satisfaction as {{ dbt.type_string() }}) || ' of 5 last (latest ticket '
    || {{ day_text('last_ticket_at') }} || ').' as reason
from {{ ref('customers') }}
where
    last_satisfaction <= {{ var('unhappy_max_satisfaction') }}
    and last_ticket_at >= {{ dbt.dateadd('day', -var('unhappy_days'), as_of()) }}
