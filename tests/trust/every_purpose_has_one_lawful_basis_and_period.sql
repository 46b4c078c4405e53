-- The shop asks consent for exactly the purposes that need it, and every purpose has a field that serves it.
with consent_purposes as (
    select distinct purpose from {{ ref('consent_purposes') }}
)

select
    coalesce(purposes.purpose, consent_purposes.purpose) as purpose,
    'consent is asked although not needed, or needed and not asked' as problem
from {{ ref('purposes') }} as purposes
full outer join consent_purposes on purposes.purpose = consent_purposes.purpose
where (purposes.lawful_basis = 'consent') <> (consent_purposes.purpose is not null) or purposes.purpose is null
union all
select
    purposes.purpose,
    'no field serves it' as problem
from {{ ref('purposes') }} as purposes
left join {{ ref('purpose_register') }} as register on purposes.purpose = register.purpose
where register.purpose is null
