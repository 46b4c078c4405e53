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
    from {{ ref('base_privacy__consent_events') }} as rows_kept
    cross join own_country
    where rows_kept.reject_reason is null
)

select
    consent_event_id,
    email,
    email_given,
    coalesce({{ e164('dialled', 'calling_code', 'trunk_prefix') }}, phone) as phone,
    customer_id as shop_customer_id,
    visitor_id,
    lower(channel) as channel,
    lower(purpose) as purpose,
    lower(status) as consent_status,
    lower(lawful_basis) as lawful_basis,
    lower(recorded_by) as recorded_by,
    form,
    text_version,
    -- A confirmation with an unreadable date does not count.
    case when {{ is_blanked('confirmed_at') }} then {{ unreadable_date() }} else confirmed_at end as confirmed_at,
    occurred_at
from kept_rows
