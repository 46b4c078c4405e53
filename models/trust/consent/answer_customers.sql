-- Whom an answer may be about. A no binds everybody who answers, or ever answered, to anything that it names. A yes is about
-- those who answer to it today, and by e-mail about the one mailbox that it was given for.
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

people as (
    select
        subjects.consent_event_id,
        subjects.channel,
        subjects.is_yes,
        subjects.subject,
        subject_customers.customer_id
    from subjects
    inner join {{ ref('subject_customers') }} as subject_customers on subjects.subject = subject_customers.subject
    where not subjects.is_yes or subject_customers.is_current
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

-- At an unknown domain two people may share what a no takes for one mailbox. A mailbox that no record has today is of
-- those who once had it: a yes for it lifts a no that was given for it.
mailbox_customers as (
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
),

mailboxes as (
    select
        mailbox,
        customer_id
    from owned_mailboxes
    where is_current = has_owner_today
),

about as (
    select
        consent_event_id,
        customer_id,
        subject,
        cast(null as {{ dbt.type_string() }}) as mailbox
    from people
    where not is_yes
    union all
    select
        given_for.consent_event_id,
        mailboxes.customer_id,
        given_for.subject,
        given_for.mailbox
    from given_for
    inner join mailboxes on given_for.mailbox = mailboxes.mailbox
    union distinct
    -- Whom the account, contact or profile leads to, where its address is another by now: the yes says why it is none.
    select
        people.consent_event_id,
        people.customer_id,
        case when people.channel = 'email' then coalesce(given_for.subject, people.subject) else people.subject end as subject,
        given_for.mailbox
    from people
    left join given_for on people.consent_event_id = given_for.consent_event_id
    where people.is_yes and coalesce(people.subject <> given_for.subject, true)
    union distinct
    -- A yes that names a phone or device as well is for these too: it lifts a no that was given there.
    select
        people.consent_event_id,
        people.customer_id,
        people.subject,
        given_for.mailbox
    from people
    inner join given_for on people.consent_event_id = given_for.consent_event_id
    where people.is_yes and (people.subject like 'phone:%' or people.subject like 'web_visitor:%')
),

about_one as (
    select
        consent_event_id,
        min(customer_id) = max(customer_id) as is_about_one
    from about
    group by consent_event_id
)

select distinct
    about.consent_event_id,
    about.customer_id,
    about.subject,
    about.mailbox,
    about.mailbox is null or coalesce(mailbox_customers.is_current, 0) = 1 as has_mailbox_today,
    about_one.is_about_one
from about
inner join about_one on about.consent_event_id = about_one.consent_event_id
left join mailbox_customers
    on about.mailbox = mailbox_customers.mailbox and about.customer_id = mailbox_customers.customer_id
