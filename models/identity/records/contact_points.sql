-- Every address and phone number that a record ever had, so that an opt-out by an old one still applies after a change. Rows
-- are only added, and only forwards, so a build as of the past adds nothing.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with current_points as (
    select
        record_key,
        'email' as contact_type,
        email as contact
    from {{ ref('identity_records') }}
    where email is not null
    union distinct
    select
        record_key,
        'phone' as contact_type,
        phone as contact
    from {{ ref('identity_records') }}
    where phone is not null
    union distinct
    -- Orders show the earlier addresses of an account.
    select
        record_key,
        'email' as contact_type,
        email as contact
    from {{ ref('order_records') }}
    where shop_customer_id is not null and email is not null
)

select
    current_points.record_key,
    current_points.contact_type,
    current_points.contact,
    {{ as_of() }} as recorded_at
from current_points
{%- if is_incremental() %}
left join {{ this }} as known
    on
        current_points.record_key = known.record_key
        and current_points.contact_type = known.contact_type
        and current_points.contact = known.contact
cross join (select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from {{ this }}) as forwards
where forwards.is_forwards and known.record_key is null
{%- endif %}
