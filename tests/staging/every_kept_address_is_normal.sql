-- Every e-mail address that staging kept is as normalise_email writes it.
{%- set models = ['stg_shop__customers', 'stg_shop__orders', 'stg_crm__contacts', 'stg_esp__profiles', 'stg_support__tickets'] %}
{% for model in models %}
select
    '{{ model }}' as model,
    count(*) as n_rows
from {{ ref(model) }}
where email is distinct from {{ normalise_email('email') | trim }}
having count(*) > 0
{{ 'union all' if not loop.last }}
{% endfor %}
