-- AI drafting and recommendations use what customers do, not who they are.
select
    readiness.model_name,
    readiness.column_name
from {{ ref('signal_readiness') }} as readiness
inner join {{ ref('field_dictionary') }} as entries
    on readiness.model_name = entries.model_name and readiness.column_name = entries.column_name
where entries.pii in ('personal', 'sensitive') and readiness.may_feed_ai_drafting
