-- Nobody who refused profiling, on any channel, is scored.
with refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
),

scored as (
    select
        customer_id,
        state
    from {{ ref('churn_scores') }}
    union all
    select
        customer_id,
        state
    from {{ ref('value_scores') }}
    union all
    select
        customer_id,
        state
    from {{ ref('next_order_scores') }}
    union all
    select
        customer_id,
        state
    from {{ ref('send_time_scores') }}
)

select scored.customer_id
from scored
left join refusals on scored.customer_id = refusals.customer_id
where (scored.state = 'refused_profiling') <> (refusals.customer_id is not null)
