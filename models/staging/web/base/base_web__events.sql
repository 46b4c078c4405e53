{{ config(materialized='view') }}
{{ typed('web', 'events', repeats=ref('base_web__event_repeats')) }}
