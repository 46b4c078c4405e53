-- Where more customers answer to an address or phone number than identity lets it join records, they are a crowd. Each answer
-- for each of them would be a square: what decides for a crowd is found once, in crowd_consent_events.
{% set max_customers = [var('identity_max_records_per_identifier'), 1] | max %}
with crowded as (
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

-- A no leads to all who ever answered, a yes to those who do today, or to the owners of the mailbox that it was given for.
circles as (
    {% for circle_type in ['ever', 'today'] -%}
    select
        '{{ circle_type }}' as circle_type,
        subject_customers.subject as circle,
        subject_customers.customer_id
    from {{ ref('subject_customers') }} as subject_customers
    inner join crowded on subject_customers.subject = crowded.subject
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

counted as (
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
from counted
where n_customers > {{ max_customers }}
