-- What somebody stated is on a profile of theirs.
with members as (
    {{ members_today(['stated_categories']) }}
),

stated as (
    select distinct records.customer_id
    from {{ ref('stg_esp__profiles') }} as profiles
    inner join {{ ref('record_customers') }} as records
        on records.record_type = 'esp_profile' and profiles.profile_id = records.record_id
    where profiles.preferred_categories is not null
)

select members.customer_id
from members
left join stated on members.customer_id = stated.customer_id
where stated.customer_id is null
