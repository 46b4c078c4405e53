-- Every address and phone number that a record ever had: a no to an old one follows the person to the new one. Only ever
-- added to, as the ledgers are; and only forwards, so a build as of the past adds nothing.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with points as (
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
    -- Its orders show which address an account had before.
    select
        record_key,
        'email' as contact_type,
        email as contact
    from {{ ref('order_records') }}
    where shop_customer_id is not null and email is not null
)

select
    points.record_key,
    points.contact_type,
    points.contact,
    {{ as_of() }} as recorded_at
from points
{%- if is_incremental() %}
left join {{ this }} as known
    on
        points.record_key = known.record_key
        and points.contact_type = known.contact_type
        and points.contact = known.contact
cross join (select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from {{ this }}) as forwards
where forwards.is_forwards and known.record_key is null
{%- endif %}
