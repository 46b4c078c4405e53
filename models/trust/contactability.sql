-- Fails closed: without consent no marketing is allowed, even if no rule suppresses it.
with class_scopes as (
    {% for message_class, scopes in message_classes().items() -%}
    {% for scope in scopes -%}
    select
        '{{ message_class }}' as message_class,
        '{{ scope }}' as scope
    {{ 'union all' if not loop.last }}
    {% endfor -%}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

class_suppressions as (
    select
        suppressions.customer_id,
        class_scopes.message_class,
        count(*) as n_rules,
        {% for rule in var('suppression_rules') -%}
        max(case when suppressions.rule = '{{ rule }}' then '{{ rule }}' end) as {{ rule }},
        {% endfor -%}
        {{ value_at_min('suppressions.reason', 'suppressions.rule_number', is_unique=true) }} as reason,
        min(suppressions.since) as since,
        count(case when suppressions.until is null then 1 end) as n_rules_without_end,
        max(suppressions.until) as until
    from {{ ref('suppressions') }} as suppressions
    inner join class_scopes on suppressions.scope = class_scopes.scope
    group by suppressions.customer_id, class_scopes.message_class
),

ai_guards as (
    select distinct customer_id
    from {{ ref('suppressions') }}
    where scope in ('everything', 'AI-personalised')
),

consents as (
    select
        customer_id,
        max(case when purpose = 'marketing_email' and is_allowed then 1 else 0 end) = 1 as is_marketing_allowed,
        max(case when purpose = 'ai_recommendations' and is_allowed then 1 else 0 end) = 1 as is_ai_allowed,
        max(case when purpose = 'marketing_email' then reason end) as reason
    from {{ ref('consents') }}
    where channel = 'email'
    group by customer_id
),

message_classes as (
    select distinct message_class from class_scopes
),

decisions as (
    select
        customers.customer_id,
        message_classes.message_class,
        class_suppressions.n_rules is null
        and customers.email is not null
        and (message_classes.message_class = 'transactional' or coalesce(consents.is_marketing_allowed, false)) as is_allowed,
        coalesce(consents.is_ai_allowed, false) and ai_guards.customer_id is null as is_ai_allowed,
        class_suppressions.n_rules,
        case when class_suppressions.n_rules > 0 then {{ joined(', ', var('suppression_rules')) }} end as blocked_by,
        class_suppressions.since,
        case when class_suppressions.n_rules_without_end = 0 then class_suppressions.until end as opens_at,
        coalesce(
            class_suppressions.reason,
            case when message_classes.message_class = 'transactional' then 'A transactional message needs no consent.' end,
            consents.reason,
            'No consent on record.'
        ) as reason
    from {{ ref('customers') }} as customers
    cross join message_classes
    left join class_suppressions
        on
            customers.customer_id = class_suppressions.customer_id
            and message_classes.message_class = class_suppressions.message_class
    left join consents on customers.customer_id = consents.customer_id
    left join ai_guards on customers.customer_id = ai_guards.customer_id
)

select
    customer_id,
    message_class,
    'email' as channel,
    is_allowed,
    is_allowed and is_ai_allowed as is_ai_personalisation_allowed,
    cast(coalesce(n_rules, 0) as bigint) as n_rules,
    blocked_by,
    since as blocked_since,
    opens_at,
    reason
from decisions
