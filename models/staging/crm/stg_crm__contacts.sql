with contacts as (
    select * from {{ ref('base_crm__contacts') }} where reject_reason is null
)

select
    contacts.contact_id,
    contacts.account_id,
    contacts.email,
    contacts.phone,
    {{ clean_name('contacts.first_name') }} as first_name,
    {{ clean_name('contacts.last_name') }} as last_name,
    case when contacts.birth_date <= {{ as_of_day() }} then contacts.birth_date end as birth_date,
    contacts.street,
    contacts.postal_code,
    contacts.city,
    countries.country_code,
    {{ language_code('contacts.language') }} as language_code,
    {{ known_time_zone('contacts.time_zone') }} as time_zone,
    contacts.has_marketing_consent,
    contacts.marketing_consent_at,
    contacts.created_at,
    coalesce(contacts.updated_at, contacts.created_at) as updated_at
from contacts
left join {{ ref('country_names') }} as countries on lower(contacts.country) = countries.country_name
