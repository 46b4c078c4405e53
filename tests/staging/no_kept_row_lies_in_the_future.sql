-- No row that staging kept happened after as_of(). Only accounts, contacts and profiles may have no date.
{%- set moments = [
    ('stg_shop__customers', 'created_at'), ('stg_shop__orders', 'ordered_at'), ('stg_shop__refunds', 'refunded_at'),
    ('stg_crm__contacts', 'created_at'), ('stg_crm__opportunities', 'created_at'), ('stg_esp__profiles', 'created_at'),
    ('stg_support__tickets', 'created_at'), ('stg_privacy__consent_events', 'occurred_at'),
    ('stg_privacy__requests', 'received_at'), ('stg_web__sessions', 'ended_at')
] %}
{% set undated = ['stg_shop__customers', 'stg_crm__contacts', 'stg_esp__profiles'] %}
{% for model, moment in moments %}
select
    '{{ model }}' as model,
    count(*) as n_rows
from {{ ref(model) }}
where {{ moment }} > {{ as_of() }}{{ ' or ' ~ moment ~ ' is null' if model not in undated }}
having count(*) > 0
{{ 'union all' if not loop.last }}
{% endfor %}
