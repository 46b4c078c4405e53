-- Each training that taught something new. Only ever added to; a past moment is read from it and adds nothing.
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
cross join (select max(trained_on) as last_trained_on from {{ this }}) as newest
where known.model_version is null and trained.trained_on >= coalesce(newest.last_trained_on, trained.trained_on)
{%- endif %}
