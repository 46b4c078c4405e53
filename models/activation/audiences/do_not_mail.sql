-- Customers whom the ESP must never mail: lasting opt-outs, not rests of some days. These are all opt-outs from marketing by
-- e-mail, opt-ins that await confirmation, and the suppression rules of var suppressed_at_esp.
with opt_outs as (
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

ranked_opt_outs as (
    select
        customer_id,
        reason,
        row_number() over (partition by customer_id order by place asc) as place
    from opt_outs
)

select
    customer_id,
    reason
from ranked_opt_outs
where place = 1
