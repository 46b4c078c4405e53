-- Every score names a model version that is in model_registry.
with score_rows as (
    select
        customer_id,
        model_version
    from {{ ref('churn_scores') }}
    where state = 'scored'
    union all
    select
        customer_id,
        model_version
    from {{ ref('value_scores') }}
    where state = 'scored'
    union all
    select
        customer_id,
        model_version
    from {{ ref('next_order_scores') }}
    where state = 'scored'
    union all
    select
        customer_id,
        model_version
    from {{ ref('send_time_scores') }}
    where best_hour is not null
    union all
    select
        customer_id,
        model_version
    from {{ ref('recommendations') }}
    union all
    select
        customer_id,
        model_version
    from {{ ref('category_intent_scores') }}
    union all
    select
        customer_id,
        model_version
    from {{ ref('lookalike_scores') }}
    where state <> 'nothing_to_learn_from'
),

registry as (
    select model_version from {{ ref('model_registry') }}
)

select score_rows.*
from score_rows
left join registry on score_rows.model_version = registry.model_version
where registry.model_version is null
