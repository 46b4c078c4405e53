-- Every shop account, contact and profile that staging kept is a record of identity.
with staged as (
    select 'shop_customer:' || shop_customer_id as record_key from {{ ref('stg_shop__customers') }}
    union all
    select 'crm_contact:' || contact_id as record_key from {{ ref('stg_crm__contacts') }}
    union all
    select 'esp_profile:' || profile_id as record_key from {{ ref('stg_esp__profiles') }}
    union all
    select 'support_requester:' || requester_id as record_key from {{ ref('stg_support__tickets') }}
    union all
    select 'guest_checkout:' || guest_id as record_key from {{ ref('stg_shop__orders') }} where guest_id is not null
)

select staged.record_key
from staged
left join {{ ref('identity_records') }} as records on staged.record_key = records.record_key
where records.record_key is null
