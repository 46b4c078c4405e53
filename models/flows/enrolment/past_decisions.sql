{{ config(materialized='view') }}
-- The decisions of earlier builds. message_decisions adds those of this build, and needs the earlier ones to do so. This view is
-- the only place that reads them without an edge in the graph.
{% set ledger = load_relation(relation_of('message_decisions')) if execute %}
{% if ledger -%}
select
    decision_id,
    enrolment_id,
    flow,
    step,
    customer_id,
    message_class,
    is_abandon,
    decision,
    rule,
    decided_at
from {{ ledger }}
where decided_at < {{ as_of() }}
{%- else -%}
select
    cast(null as {{ dbt.type_string() }}) as decision_id,
    cast(null as {{ dbt.type_string() }}) as enrolment_id,
    cast(null as {{ dbt.type_string() }}) as flow,
    cast(null as {{ dbt.type_string() }}) as step,
    cast(null as {{ dbt.type_string() }}) as customer_id,
    cast(null as {{ dbt.type_string() }}) as message_class,
    cast(null as boolean) as is_abandon,
    cast(null as {{ dbt.type_string() }}) as decision,
    cast(null as {{ dbt.type_string() }}) as rule,
    cast(null as timestamp) as decided_at
where false
{%- endif %}
