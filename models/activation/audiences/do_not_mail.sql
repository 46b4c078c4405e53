-- Whom the ESP must not write to whatever anybody does there: a no that lasts, not a rest of some days. That is each no to
-- marketing by e-mail in whatever words, also a yes that waits for its confirmation, and what var suppressed_at_esp names.
with noes as (
    select
        customer_id,
        reason,
        {{ var('suppression_rules') | length + 1 }} as place
    from {{ ref('consents') }}
    where channel = 'email' and purpose = 'marketing_email' and status in ('withdrawn', 'denied', 'pending')
    union all
    select
        customer_id,
        reason,
        rule_number as place
    from {{ ref('suppressions') }}
    where until is null and rule in ('{{ var("suppressed_at_esp") | join("', '") }}')
),

numbered as (
    select
        customer_id,
        reason,
        row_number() over (partition by customer_id order by place asc) as place
    from noes
)

select
    customer_id,
    reason
from numbered
where place = 1
