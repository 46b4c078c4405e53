-- The customers of each mailbox, now or in the past. The mailbox here is the narrow one: at an unknown domain two people may
-- share the widest mailbox. If no record has it today, the past customers own it, so an opt-in for it can end its opt-out.
with mailbox_customers as (
    select
        mailbox,
        customer_id,
        max(case when is_current then 1 else 0 end) as is_current
    from {{ ref('contact_point_customers') }}
    where contact_type = 'email'
    group by mailbox, customer_id
),

owned_mailboxes as (
    select
        *,
        max(is_current) over (partition by mailbox) as has_owner_today
    from mailbox_customers
)

select
    mailbox,
    customer_id,
    is_current = 1 as is_current,
    is_current = has_owner_today as is_owner
from owned_mailboxes
