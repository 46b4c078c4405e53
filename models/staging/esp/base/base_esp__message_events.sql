{{ config(materialized='view') }}
{{ typed('esp', 'message_events', repeats=ref('base_esp__message_event_repeats')) }}
