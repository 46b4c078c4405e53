with entries as (
    select * from {{ ref('field_dictionary') }}
),

purposes as (
    select * from {{ ref('purposes') }}
)

select
    purposes.purpose,
    entries.model_name,
    entries.column_name,
    entries.pii,
    purposes.lawful_basis,
    cast(purposes.retention_days as bigint) as retention_days
from entries
inner join purposes on ', ' || entries.purposes || ',' like '%, ' || purposes.purpose || ',%'
