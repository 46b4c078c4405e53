-- Checked against the ESP events: each unsubscribe and complaint of a customer has a clock.
select
    events.event_id,
    events.customer_id
from {{ ref('email_events') }} as events
inner join {{ ref('consent_history') }} as history
    on history.source_system = 'esp event' and events.event_id = history.source_key
left join {{ ref('opt_out_clock') }} as clocks
    on history.consent_event_id = clocks.consent_event_id and events.customer_id = clocks.customer_id
where events.event_type in ('unsubscribed', 'complained') and (clocks.reason is null or clocks.hours_to_effect < 0)
