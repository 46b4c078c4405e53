select *
from {{ ref('consents') }}
where is_allowed <> (lawful_basis is not null)
