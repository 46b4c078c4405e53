-- Each training that taught something new, for whatever moment it was. Only ever added to.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with trained as (
    select * from {{ ref('trained_models') }}
)

select
    trained.model_name,
    trained.model_version,
    trained.trained_on,
    trained.state,
    trained.method,
    trained.reason,
    trained.is_level_verified,
    trained.horizon_days,
    trained.n_customers,
    trained.n_rows,
    trained.cutoffs,
    trained.features,
    trained.data_fingerprint,
    trained.parameters
from trained
{% if is_incremental() -%}
left join {{ this }} as known
    on trained.model_name = known.model_name and trained.model_version = known.model_version
where known.model_version is null
{%- endif %}
