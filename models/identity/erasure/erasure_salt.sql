-- Made once, in the warehouse, and written to no file or log. Without it, addresses cannot be tried against the ledger.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select {{ random_text() }} as salt
{% if is_incremental() -%}
from (select 1 as one) as once
where not exists (select 1 from {{ this }})
{%- endif %}
