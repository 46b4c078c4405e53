with profiles as (
    select * from {{ ref('base_esp__profiles') }} where reject_reason is null
)

select
    profiles.profile_id,
    profiles.external_id as shop_customer_id,
    profiles.email,
    profiles.phone,
    {{ clean_name('profiles.first_name') }} as first_name,
    {{ clean_name('profiles.last_name') }} as last_name,
    case when profiles.birth_date <= {{ as_of_day() }} then profiles.birth_date end as birth_date,
    countries.country_code,
    {{ language_code('profiles.language') }} as language_code,
    {{ known_time_zone('profiles.time_zone') }} as time_zone,
    profiles.preferred_categories,
    profiles.preferred_frequency,
    -- Forms fill in the first days of these years by themselves.
    case when profiles.birthday not in (cast('1900-01-01' as date), cast('1970-01-01' as date)) then profiles.birthday end as birthday,
    profiles.subscription_status,
    profiles.created_at,
    coalesce(profiles.updated_at, profiles.created_at) as updated_at
from profiles
left join {{ ref('country_names') }} as countries on lower(profiles.country) = countries.country_name
