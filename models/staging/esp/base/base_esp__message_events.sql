{{ config(materialized='view') }}
{{ typed('esp', 'message_events', flawed_rows=ref('base_esp__flawed_message_events'), never_late={'event_type': refusals()}) }}
