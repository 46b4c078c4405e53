-- Whom the ESP must not write to whatever anybody does there: a no that lasts, not a rest of some days.
with lasting as (
    select
        customer_id,
        reason,
        row_number() over (partition by customer_id order by rule_number) as place
    from {{ ref('suppressions') }}
    where until is null and rule in ('{{ var("suppressed_at_esp") | join("', '") }}')
)

select
    customer_id,
    reason
from lasting
where place = 1
