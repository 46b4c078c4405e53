-- Phone numbers have no country here, so the default country applies. An unreadable number stays as typed.
with own_country as (
    {{ default_country_codes() }}
),

kept_rows as (
    select
        rows_kept.*,
        {{ dialled_phone('rows_kept.phone') }} as dialled,
        own_country.calling_code,
        own_country.trunk_prefix
    from {{ ref('base_privacy__requests') }} as rows_kept
    cross join own_country
    where rows_kept.reject_reason is null
)

select
    request_id,
    email,
    coalesce({{ e164('dialled', 'calling_code', 'trunk_prefix') }}, phone) as phone,
    customer_id as shop_customer_id,
    request_type,
    status as request_status,
    received_at,
    completed_at
from kept_rows
