with rule_rows as (
    {% for rule in var('suppression_rules') -%}
    select
        customer_id,
        '{{ rule }}' as rule,
        {{ loop.index }} as rule_number,
        scope,
        since,
        until,
        reason
    from {{ ref(rule) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    customer_id,
    rule,
    cast(rule_number as bigint) as rule_number,
    scope,
    since,
    until,
    reason
from rule_rows
where coalesce(until > {{ as_of() }}, true)
