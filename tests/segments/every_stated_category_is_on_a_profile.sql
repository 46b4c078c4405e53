-- Every stated category comes from an ESP profile of the customer.
with members as (
    {{ members_today(['stated_categories']) }}
),

profile_statements as (
    select distinct records.customer_id
    from {{ ref('stg_esp__profiles') }} as profiles
    inner join {{ ref('record_customers') }} as records
        on records.record_type = 'esp_profile' and profiles.profile_id = records.record_id
    where profiles.preferred_categories is not null
)

select members.customer_id
from members
left join profile_statements on members.customer_id = profile_statements.customer_id
where profile_statements.customer_id is null
