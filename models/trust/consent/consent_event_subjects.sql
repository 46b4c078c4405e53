-- The circles of customers that a consent event may concern. An opt-out concerns every customer who has, or ever had, an
-- identifier that it names. An opt-in concerns the customers who have it today, and by e-mail the one mailbox it was given for.
-- Longer than 120 lines because opt-outs and opt-ins find their customers in four ways, each a select of its own.
{% set identifiers = ['phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] %}
with history as (
    select
        history.*,
        history.consent_status in ('granted', 'pending') as is_yes
    from {{ with_mailboxes(ref('consent_history')) }} as history
    where history.consent_status <> '{{ not_said() }}'
),

named_identifiers as (
    select
        consent_event_id,
        channel,
        is_yes,
        'email' as identifier_type,
        widest_mailbox as identifier
    from history
    where email is not null and not is_yes
    {% for identifier in identifiers -%}
    union all
    select
        consent_event_id,
        channel,
        is_yes,
        '{{ identifier }}' as identifier_type,
        {{ identifier }} as identifier
    from history
    where {{ identifier }} is not null
    {% endfor %}
),

subjects as (
    select distinct
        named_identifiers.consent_event_id,
        named_identifiers.channel,
        named_identifiers.is_yes,
        subjects.subject
    from named_identifiers
    inner join {{ ref('consent_subjects') }} as subjects
        on named_identifiers.identifier_type = subjects.identifier_type and named_identifiers.identifier = subjects.identifier
    where not named_identifiers.is_yes or subjects.is_current
),

-- An opt-in is for the mailbox of the address it names. If an opt-in to e-mail names no address, it is for the address its
-- record had at that time. A blocked address does not count.
blocked_mailboxes as (
    select distinct mailbox
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifier_type = 'email'
),

opt_in_mailboxes as (
    select
        opt_ins.consent_event_id,
        opt_ins.mailbox,
        'mailbox:' || opt_ins.widest_mailbox as subject
    from {{ with_mailboxes(
        "(select consent_event_id, coalesce(email, case when channel = 'email' then email_then end) as email from "
        ~ ref('consent_history') ~ " where consent_status in ('granted', 'pending'))"
    ) }} as opt_ins
    left join blocked_mailboxes on opt_ins.mailbox = blocked_mailboxes.mailbox
    where opt_ins.email is not null and blocked_mailboxes.mailbox is null
),

event_circles as (
    select
        consent_event_id,
        'ever' as circle_type,
        subject as circle,
        subject,
        cast(null as {{ dbt.type_string() }}) as mailbox
    from subjects
    where not is_yes
    union all
    select
        consent_event_id,
        'mailbox' as circle_type,
        mailbox as circle,
        subject,
        mailbox
    from opt_in_mailboxes
    union all
    -- The customers of the account, contact or profile if its address has changed, so that the opt-in appears as void there.
    select
        subjects.consent_event_id,
        'today' as circle_type,
        subjects.subject as circle,
        case
            when subjects.channel = 'email' then coalesce(opt_in_mailboxes.subject, subjects.subject) else subjects.subject
        end as subject,
        opt_in_mailboxes.mailbox
    from subjects
    left join opt_in_mailboxes on subjects.consent_event_id = opt_in_mailboxes.consent_event_id
    where subjects.is_yes and coalesce(subjects.subject <> opt_in_mailboxes.subject, true)
    union distinct
    -- An opt-in that also names a phone or device ends an opt-out for these.
    select
        subjects.consent_event_id,
        'today' as circle_type,
        subjects.subject as circle,
        subjects.subject,
        opt_in_mailboxes.mailbox
    from subjects
    inner join opt_in_mailboxes on subjects.consent_event_id = opt_in_mailboxes.consent_event_id
    where subjects.is_yes and (subjects.subject like 'phone:%' or subjects.subject like 'web_visitor:%')
),

crowds as (
    select distinct
        circle_type,
        circle,
        crowd
    from {{ ref('crowd_customers') }}
)

select
    event_circles.consent_event_id,
    event_circles.circle_type,
    event_circles.circle,
    event_circles.subject,
    event_circles.mailbox,
    crowds.crowd
from event_circles
left join crowds on event_circles.circle_type = crowds.circle_type and event_circles.circle = crowds.circle
