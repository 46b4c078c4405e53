-- Each training with new parameters. Append-only.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with trainings as (
    select * from {{ ref('trained_models') }}
)

select
    trainings.model_name,
    trainings.model_version,
    trainings.trained_on,
    trainings.state,
    trainings.method,
    trainings.reason,
    trainings.is_level_verified,
    trainings.horizon_days,
    trainings.n_customers,
    trainings.n_rows,
    trainings.cutoffs,
    trainings.features,
    trainings.data_fingerprint,
    trainings.parameters
from trainings
{% if is_incremental() -%}
left join {{ this }} as registered_versions
    on trainings.model_name = registered_versions.model_name and trainings.model_version = registered_versions.model_version
where registered_versions.model_version is null
{%- endif %}
