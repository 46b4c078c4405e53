-- Back-test results of each registered training. Append-only, like the registry.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with evaluations as (
    select * from {{ ref('trained_model_evaluations') }}
)

select
    evaluations.model_name,
    evaluations.model_version,
    evaluations.score,
    evaluations.method,
    evaluations.metric,
    evaluations.segment,
    evaluations.cutoff_on,
    evaluations.horizon_days,
    evaluations.n_customers,
    evaluations.value,
    evaluations.low,
    evaluations.high,
    evaluations.baseline_value,
    evaluations.is_chosen
from evaluations
inner join {{ ref('model_registry') }} as registry
    on evaluations.model_name = registry.model_name and evaluations.model_version = registry.model_version
{% if is_incremental() -%}
left join (select distinct model_name, model_version from {{ this }}) as registered_versions
    on evaluations.model_name = registered_versions.model_name and evaluations.model_version = registered_versions.model_version
where registered_versions.model_version is null
{%- endif %}
