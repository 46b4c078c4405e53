-- GDPR art. 28(3): a processor needs a contract. A vendor that is not in the seed has no row and may receive nothing.
with vendors as (
    select
        *,
        {{ as_of_day() }} as today
    from {{ ref('vendors') }}
),

purposes as (
    select * from {{ ref('purposes') }}
),

vendor_purposes as (
    select
        vendors.vendor,
        purposes.purpose,
        vendors.country_code,
        vendors.dpa_signed_on,
        vendors.dpa_valid_until,
        case
            when ', ' || vendors.purposes || ',' not like '%, ' || purposes.purpose || ',%'
                then 'is not a processor for ' || purposes.label
            when vendors.dpa_signed_on is null then 'has signed no data processing agreement'
            when vendors.dpa_signed_on > vendors.today
                then 'signs its data processing agreement on ' || cast(vendors.dpa_signed_on as {{ dbt.type_string() }})
            when vendors.dpa_valid_until < vendors.today
                then 'had a data processing agreement until ' || cast(vendors.dpa_valid_until as {{ dbt.type_string() }})
        end as why_not,
        purposes.label,
        vendors.source
    from vendors
    cross join purposes
)

select
    vendor,
    purpose,
    why_not is null as may_receive,
    country_code,
    dpa_signed_on,
    dpa_valid_until,
    vendor || coalesce(
        ' may not receive data for this purpose: it ' || why_not,
        ' may receive data for ' || label || ' under the data processing agreement of ' || cast(dpa_signed_on as {{ dbt.type_string() }})
        || coalesce(', valid until ' || cast(dpa_valid_until as {{ dbt.type_string() }}), '')
    ) || '.' as reason,
    source
from vendor_purposes
