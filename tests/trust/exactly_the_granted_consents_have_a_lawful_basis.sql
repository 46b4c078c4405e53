-- Exactly the granted consents have a lawful basis.
select *
from {{ ref('consents') }}
where is_allowed <> (lawful_basis is not null)
