-- No customer who refused profiling on any channel is scored.
with refusals as (
    select distinct customer_id
    from {{ ref('consents') }}
    where purpose = 'profiling' and status in ('denied', 'withdrawn')
),

score_states as (
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

select score_states.customer_id
from score_states
left join refusals on score_states.customer_id = refusals.customer_id
where (score_states.state = 'refused_profiling') <> (refusals.customer_id is not null)
