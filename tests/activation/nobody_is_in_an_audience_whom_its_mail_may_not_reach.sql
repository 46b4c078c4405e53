-- Nobody is in an audience whom its mail may not reach, whatever segment or score put them there.
with audiences as (
    select distinct
        audience,
        message_class,
        is_suppression
    from {{ ref('audience_catalog') }}
)

select
    members.audience,
    members.customer_id
from {{ ref('audience_members') }} as members
inner join audiences on members.audience = audiences.audience
left join {{ ref('contactability') }} as allowed
    on
        members.customer_id = allowed.customer_id
        and audiences.message_class = allowed.message_class
        and allowed.channel = 'email'
where not audiences.is_suppression and not coalesce(allowed.is_allowed, false)
