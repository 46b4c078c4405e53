-- What an answer leads by to those it may be about. A no binds everybody who answers, or ever answered, to anything that it
-- names. A yes is about those who answer to it today, and by e-mail about the one mailbox that it was given for.
{% set identifiers = ['phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] %}
with history as (
    select
        history.*,
        history.consent_status in ('granted', 'pending') as is_yes
    from {{ with_mailboxes(ref('consent_history')) }} as history
    where history.consent_status <> '{{ not_said() }}'
),

named as (
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
        named.consent_event_id,
        named.channel,
        named.is_yes,
        subjects.subject
    from named
    inner join {{ ref('consent_subjects') }} as subjects
        on named.identifier_type = subjects.identifier_type and named.identifier = subjects.identifier
    where not named.is_yes or subjects.is_current
),

-- A yes is about the one mailbox of the address it names. Where a yes to e-mail names none, it is about the address that its
-- record had when it was recorded. A blocked address is none.
blocked as (
    select distinct mailbox
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifier_type = 'email'
),

given_for as (
    select
        yeses.consent_event_id,
        yeses.mailbox,
        'mailbox:' || yeses.widest_mailbox as subject
    from {{ with_mailboxes(
        "(select consent_event_id, coalesce(email, case when channel = 'email' then email_then end) as email from "
        ~ ref('consent_history') ~ " where consent_status in ('granted', 'pending'))"
    ) }} as yeses
    left join blocked on yeses.mailbox = blocked.mailbox
    where yeses.email is not null and blocked.mailbox is null
),

leads as (
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
    from given_for
    union all
    -- Whom the account, contact or profile leads to, where its address is another by now: the yes says why it is none.
    select
        subjects.consent_event_id,
        'today' as circle_type,
        subjects.subject as circle,
        case
            when subjects.channel = 'email' then coalesce(given_for.subject, subjects.subject) else subjects.subject
        end as subject,
        given_for.mailbox
    from subjects
    left join given_for on subjects.consent_event_id = given_for.consent_event_id
    where subjects.is_yes and coalesce(subjects.subject <> given_for.subject, true)
    union distinct
    -- A yes that names a phone or device as well is for these too: it lifts a no that was given there.
    select
        subjects.consent_event_id,
        'today' as circle_type,
        subjects.subject as circle,
        subjects.subject,
        given_for.mailbox
    from subjects
    inner join given_for on subjects.consent_event_id = given_for.consent_event_id
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
    leads.consent_event_id,
    leads.circle_type,
    leads.circle,
    leads.subject,
    leads.mailbox,
    crowds.crowd
from leads
left join crowds on leads.circle_type = crowds.circle_type and leads.circle = crowds.circle
