-- The subjects of each identifier in a consent event. Consent is given for an address, so a record stands for each address that
-- it has or had (an opt-out follows the record). A record that never had one stands for itself. subject_customers has the
-- customers.
with points as (
    select * from {{ ref('contact_point_customers') }}
),

records as (
    select
        record_type,
        record_id,
        record_key
    from {{ ref('identity_records') }}
    where record_type in ('shop_customer', 'crm_contact', 'esp_profile')
),

-- Includes the addresses of deleted records.
record_points as (
    select distinct
        record_key,
        'mailbox:' || widest_mailbox as subject,
        is_current
    from points
    where contact_type = 'email'
),

record_subjects as (
    select
        record_key,
        subject,
        is_current
    from record_points
    union all
    select
        records.record_key,
        records.record_key as subject,
        true as is_current
    from records
    left join record_points on records.record_key = record_points.record_key
    where record_points.record_key is null
),

-- A record may have a current and a past address of one mailbox.
by_record as (
    select
        record_key,
        subject,
        max(case when is_current then 1 else 0 end) = 1 as is_current
    from record_subjects
    group by record_key, subject
)

select distinct
    'email' as identifier_type,
    widest_mailbox as identifier,
    'mailbox:' || widest_mailbox as subject,
    true as is_current
from points
where contact_type = 'email'
union all
select distinct
    'phone' as identifier_type,
    contact as identifier,
    'phone:' || contact as subject,
    true as is_current
from points
where contact_type = 'phone'
{% for identifier, record_type in {
    'shop_customer_id': 'shop_customer', 'contact_id': 'crm_contact', 'profile_id': 'esp_profile'
}.items() -%}
union all
select
    '{{ identifier }}' as identifier_type,
    substr(record_key, {{ record_type | length + 2 }}) as identifier,
    subject,
    is_current
from by_record
where record_key like '{{ record_type }}:%'
{% endfor -%}
union all
select
    'visitor_id' as identifier_type,
    visitor_id as identifier,
    'web_visitor:' || visitor_id as subject,
    true as is_current
from {{ ref('visitor_customers') }}
where customer_id is not null{{ ' or n_customers = 0' if var('keep_anonymous_visitors') }}
