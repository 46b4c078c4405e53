-- The customers that a consent event may concern. Of a crowd only the customers with a record that it names, and the first
-- customer, who stands for the rest: see crowd_consent_events.
{% set record_types = {'shop_customer_id': 'shop_customer', 'contact_id': 'crm_contact', 'profile_id': 'esp_profile'} %}
with subjects as (
    select * from {{ ref('consent_event_subjects') }}
),

crowd_customers as (
    select * from {{ ref('crowd_customers') }}
),

crowd_events as (
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
    inner join crowd_events on history.consent_event_id = crowd_events.consent_event_id
    where history.{{ identifier }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

named_customers as (
    select distinct
        named_records.consent_event_id,
        points.customer_id
    from named_records
    inner join {{ ref('contact_point_customers') }} as points on named_records.record_key = points.record_key
),

event_customers as (
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
        named_customers.customer_id,
        subjects.subject,
        subjects.mailbox,
        subjects.crowd
    from subjects
    inner join named_customers on subjects.consent_event_id = named_customers.consent_event_id
    inner join crowd_customers
        on subjects.crowd = crowd_customers.crowd and named_customers.customer_id = crowd_customers.customer_id
),

distinct_event_customers as (
    select
        consent_event_id,
        customer_id,
        subject,
        min(mailbox) as mailbox,
        min(crowd) as crowd
    from event_customers
    group by consent_event_id, customer_id, subject
),

event_reach as (
    select
        consent_event_id,
        min(customer_id) = max(customer_id) and count(crowd) = 0 as is_about_one
    from distinct_event_customers
    group by consent_event_id
)

select
    distinct_event_customers.consent_event_id,
    distinct_event_customers.customer_id,
    distinct_event_customers.subject,
    distinct_event_customers.mailbox,
    distinct_event_customers.mailbox is null or coalesce(mailbox_customers.is_current, false) as has_mailbox_today,
    event_reach.is_about_one,
    distinct_event_customers.crowd
from distinct_event_customers
inner join event_reach on distinct_event_customers.consent_event_id = event_reach.consent_event_id
left join {{ ref('mailbox_customers') }} as mailbox_customers
    on
        distinct_event_customers.mailbox = mailbox_customers.mailbox
        and distinct_event_customers.customer_id = mailbox_customers.customer_id
