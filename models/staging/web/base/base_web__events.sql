{{ config(materialized='view') }}
{{ typed('web', 'events', flawed_rows=ref('base_web__flawed_events')) }}
