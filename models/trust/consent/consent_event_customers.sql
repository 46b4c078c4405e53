-- Whom an answer may be about. Of a crowd only those whose own record it names, and the first, who stands for all of them: what
-- it says of the others is in crowd_consent_events.
{% set record_types = {'shop_customer_id': 'shop_customer', 'contact_id': 'crm_contact', 'profile_id': 'esp_profile'} %}
with subjects as (
    select * from {{ ref('consent_event_subjects') }}
),

crowd_customers as (
    select * from {{ ref('crowd_customers') }}
),

said_in_crowds as (
    select distinct consent_event_id
    from subjects
    where crowd is not null
),

named_records as (
    {% for identifier, record_type in record_types.items() -%}
    select
        history.consent_event_id,
        '{{ record_type }}:' || history.{{ identifier }} as record_key
    from {{ ref('consent_history') }} as history
    inner join said_in_crowds on history.consent_event_id = said_in_crowds.consent_event_id
    where history.{{ identifier }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

privacy_request_matches as (
    select distinct
        named_records.consent_event_id,
        points.customer_id
    from named_records
    inner join {{ ref('contact_point_customers') }} as points on named_records.record_key = points.record_key
),

about as (
    select
        subjects.consent_event_id,
        subject_customers.customer_id,
        subjects.subject,
        subjects.mailbox,
        subjects.crowd
    from subjects
    inner join {{ ref('subject_customers') }} as subject_customers on subjects.circle = subject_customers.subject
    where
        subjects.crowd is null
        and (subjects.circle_type = 'ever' or (subjects.circle_type = 'today' and subject_customers.is_current))
    union all
    select
        subjects.consent_event_id,
        owners.customer_id,
        subjects.subject,
        subjects.mailbox,
        subjects.crowd
    from subjects
    inner join {{ ref('mailbox_customers') }} as owners on subjects.mailbox = owners.mailbox
    where subjects.crowd is null and subjects.circle_type = 'mailbox' and owners.is_owner
    union all
    select
        subjects.consent_event_id,
        crowd_customers.customer_id,
        subjects.subject,
        subjects.mailbox,
        subjects.crowd
    from subjects
    inner join crowd_customers
        on subjects.crowd = crowd_customers.crowd and crowd_customers.customer_id = crowd_customers.first_customer_id
    union all
    select
        subjects.consent_event_id,
        privacy_request_matches.customer_id,
        subjects.subject,
        subjects.mailbox,
        subjects.crowd
    from subjects
    inner join privacy_request_matches on subjects.consent_event_id = privacy_request_matches.consent_event_id
    inner join crowd_customers
        on subjects.crowd = crowd_customers.crowd and privacy_request_matches.customer_id = crowd_customers.customer_id
),

about_each as (
    select
        consent_event_id,
        customer_id,
        subject,
        min(mailbox) as mailbox,
        min(crowd) as crowd
    from about
    group by consent_event_id, customer_id, subject
),

about_one as (
    select
        consent_event_id,
        min(customer_id) = max(customer_id) and count(crowd) = 0 as is_about_one
    from about_each
    group by consent_event_id
)

select
    about_each.consent_event_id,
    about_each.customer_id,
    about_each.subject,
    about_each.mailbox,
    about_each.mailbox is null or coalesce(mailbox_customers.is_current, false) as has_mailbox_today,
    about_one.is_about_one,
    about_each.crowd
from about_each
inner join about_one on about_each.consent_event_id = about_one.consent_event_id
left join {{ ref('mailbox_customers') }} as mailbox_customers
    on about_each.mailbox = mailbox_customers.mailbox and about_each.customer_id = mailbox_customers.customer_id
