-- Read in full in each build, because an opt-out is never too late. A signal on a rejected event counts too.
{{ config(materialized='table') }}

select
    visitor_id || '/' || coalesce(customer_id, '') || '/' || coalesce(email, '') || '/' || coalesce({{ day_text('occurred_at') }}, '') as signal_key,
    visitor_id,
    customer_id as shop_customer_id,
    email,
    max(occurred_at) as sent_at
from {{ ref('base_web__events') }}
where has_opt_out_signal and visitor_id is not null
group by 1, 2, 3, 4
