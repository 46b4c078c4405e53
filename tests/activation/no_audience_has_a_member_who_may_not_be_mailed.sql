-- No audience has a member who may not get its mail, whatever segment or score selected them.
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
left join {{ ref('contactability') }} as contacts
    on
        members.customer_id = contacts.customer_id
        and audiences.message_class = contacts.message_class
        and contacts.channel = 'email'
where not audiences.is_suppression and not coalesce(contacts.is_allowed, false)
