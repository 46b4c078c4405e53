-- suppression_counts of each build. Only ever added to, one moment once.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select counts.*
from {{ ref('suppression_counts') }} as counts
{% if is_incremental() -%}
left join (select distinct measured_at from {{ this }}) as known on counts.measured_at = known.measured_at
where known.measured_at is null
{%- endif %}
