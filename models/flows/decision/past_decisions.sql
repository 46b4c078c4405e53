-- The decisions of earlier builds that still matter, by the customer's id of today. message_decisions adds those of this build,
-- and needs the earlier ones. Only this model reads them without an edge in the graph.
{% set ledger = load_relation(relation_of('message_decisions')) if execute %}
{# A ledger of before offers lacks their columns in the first build. #}
{% set names = adapter.get_columns_in_relation(ledger) | map(attribute='name') | list if ledger else [] %}
{% if ledger -%}
select
    ledger.decision_id,
    ledger.enrolment_id,
    ledger.flow,
    ledger.step,
    coalesce(retired.customer_id, ledger.customer_id) as customer_id,
    ledger.message_class,
    ledger.is_abandon,
    ledger.decision,
    ledger.rule,
    {{ 'ledger.offer_share' if 'offer_share' in names else 'cast(null as ' ~ double_type() ~ ')' }} as offer_share,
    {{ 'ledger.offer_cost' if 'offer_cost' in names else 'cast(null as decimal(18, 2))' }} as offer_cost,
    ledger.decided_at
from {{ ledger }} as ledger
left join {{ ref('retired_customer_ids') }} as retired on ledger.customer_id = retired.retired_customer_id
where ledger.decided_at < {{ as_of() }} and ledger.decided_at > {{ date_add('day', -decision_days(), as_of()) }}
{%- else -%}
select
    retired_customer_id as decision_id,
    retired_customer_id as enrolment_id,
    retired_customer_id as flow,
    retired_customer_id as step,
    customer_id,
    retired_customer_id as message_class,
    false as is_abandon,
    retired_customer_id as decision,
    retired_customer_id as rule,
    cast(null as {{ double_type() }}) as offer_share,
    cast(null as decimal(18, 2)) as offer_cost,
    {{ as_of() }} as decided_at
from {{ ref('retired_customer_ids') }}
where false
{%- endif %}
