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
    where email is not null
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

-- A yes to e-mail that names no address is about the one that its record had when it was recorded.
given_for as (
    select
        consent_event_id,
        mailbox,
        'mailbox:' || widest_mailbox as subject
    from {{ with_mailboxes(
        "(select consent_event_id, coalesce(email, email_then) as email from " ~ ref('consent_history')
        ~ " where channel = 'email' and consent_status in ('granted', 'pending'))"
    ) }} as yeses
    where email is not null
),

-- At an unknown domain two people may share what a no takes for one mailbox.
mailboxes as (
    select distinct
        mailbox,
        customer_id
    from {{ ref('contact_point_customers') }}
    where contact_type = 'email' and is_current
),

about as (
    select
        consent_event_id,
        customer_id,
        subject,
        cast(null as {{ dbt.type_string() }}) as mailbox
    from people
    where not is_yes or channel <> 'email'
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
        coalesce(given_for.subject, people.subject) as subject,
        given_for.mailbox
    from people
    left join given_for on people.consent_event_id = given_for.consent_event_id
    where people.is_yes and people.channel = 'email' and coalesce(people.subject <> given_for.subject, true)
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
    about_one.is_about_one
from about
inner join about_one on about.consent_event_id = about_one.consent_event_id
