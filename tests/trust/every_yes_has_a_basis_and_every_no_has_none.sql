-- A yes rests on something, and a no rests on nothing.
select *
from {{ ref('consents') }}
where is_allowed <> (lawful_basis is not null)
