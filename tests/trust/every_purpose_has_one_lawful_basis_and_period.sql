-- Consent is asked for just the purposes that need it, and every purpose is served by some field.
with asked as (
    select distinct purpose from {{ ref('consent_purposes') }}
)

select
    coalesce(purposes.purpose, asked.purpose) as purpose,
    'consent is asked for it, or needed and not asked' as problem
from {{ ref('purposes') }} as purposes
full outer join asked on purposes.purpose = asked.purpose
where (purposes.lawful_basis = 'consent') <> (asked.purpose is not null) or purposes.purpose is null
union all
select
    purposes.purpose,
    'no field serves it' as problem
from {{ ref('purposes') }} as purposes
left join {{ ref('purpose_register') }} as register on purposes.purpose = register.purpose
where register.purpose is null
