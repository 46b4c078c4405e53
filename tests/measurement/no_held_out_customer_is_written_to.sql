-- No customer who is held out of marketing gets a marketing message of this build, or is in an audience for marketing.
with holdouts as (
    select distinct customer_id
    from {{ ref('experiment_members') }}
    where is_held_out and decides = 'marketing'
)

select
    decisions.customer_id,
    decisions.flow as sent_by
from {{ ref('message_decisions') }} as decisions
inner join holdouts on decisions.customer_id = holdouts.customer_id
where decisions.decision = 'send' and decisions.message_class <> 'transactional' and decisions.decided_at = {{ as_of() }}
union all
select
    members.customer_id,
    members.audience as sent_by
from {{ ref('audience_members') }} as members
inner join {{ ref('audience_catalog') }} as audiences on members.audience = audiences.audience
inner join holdouts on members.customer_id = holdouts.customer_id
where not audiences.is_suppression and audiences.message_class <> 'transactional'
