-- Whom an answer may be about: an address that two customers share leads to both. A table of its own, since it and what
-- the answers are worth do not fit into memory together where a shop is large.
{% set identifiers = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] %}
with people as (
    {% for identifier in identifiers -%}
    select
        history.consent_event_id,
        subjects.customer_id,
        subjects.subject
    from {{ ref('consent_history') }} as history
    inner join {{ ref('consent_subjects') }} as subjects
        on subjects.identifier_type = '{{ identifier }}' and history.{{ identifier }} = subjects.identifier
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
),

about_one as (
    select
        consent_event_id,
        min(customer_id) = max(customer_id) as is_about_one
    from people
    group by consent_event_id
)

select
    people.consent_event_id,
    people.customer_id,
    people.subject,
    about_one.is_about_one
from people
inner join about_one on people.consent_event_id = about_one.consent_event_id
