-- A crowd is more customers on one address or phone number than identity lets it join. One row per event and customer would
-- grow with the square of the crowd, so crowd_consent_events finds the deciding events once.
{% set max_customers = [var('identity_max_records_per_identifier'), 1] | max %}
with crowded_subjects as (
    select subject
    from {{ ref('subject_customers') }}
    group by subject
    having count(*) > {{ max_customers }}
),

crowded_mailboxes as (
    select mailbox
    from {{ ref('mailbox_customers') }}
    where is_owner
    group by mailbox
    having count(*) > {{ max_customers }}
),

-- An opt-out concerns all customers who ever had the subject. An opt-in concerns those who have it today, or own its mailbox.
circles as (
    {% for circle_type in ['ever', 'today'] -%}
    select
        '{{ circle_type }}' as circle_type,
        subject_customers.subject as circle,
        subject_customers.customer_id
    from {{ ref('subject_customers') }} as subject_customers
    inner join crowded_subjects on subject_customers.subject = crowded_subjects.subject
    {{ 'where subject_customers.is_current' if circle_type == 'today' }}
    union all
    {% endfor -%}
    select
        'mailbox' as circle_type,
        owners.mailbox as circle,
        owners.customer_id
    from {{ ref('mailbox_customers') }} as owners
    inner join crowded_mailboxes on owners.mailbox = crowded_mailboxes.mailbox
    where owners.is_owner
),

counted_circles as (
    select
        *,
        count(*) over (partition by circle_type, circle) as n_customers,
        min(customer_id) over (partition by circle_type, circle) as first_customer_id
    from circles
)

select
    circle_type || ':' || circle as crowd,
    customer_id,
    circle_type,
    circle,
    first_customer_id
from counted_circles
where n_customers > {{ max_customers }}
