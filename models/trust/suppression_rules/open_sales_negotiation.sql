-- A campaign could undercut the offer of the salesperson.
select
    records.customer_id,
    'promotional' as scope,
    min(opportunities.created_at) as since,
    cast(null as timestamp) as until,
    'In negotiation with sales since ' || {{ day_text('min(opportunities.created_at)') }} || '.' as reason
from {{ ref('stg_crm__opportunities') }} as opportunities
inner join {{ ref('record_customers') }} as records
    on records.record_type = 'crm_contact' and opportunities.contact_id = records.record_id
where coalesce(opportunities.closed_at > {{ as_of() }}, opportunities.stage in ('open', 'negotiation'))
group by records.customer_id
