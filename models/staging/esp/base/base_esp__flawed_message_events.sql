{{ config(
    materialized='incremental', incremental_strategy='replace_flawed', unique_key='event_id', event_time='occurred_at',
    meta={'built_through': 'stg_esp__profile_days.activity_on', 'never_late': {'event_type': refusals()}}
) }}
{{ flawed('esp', 'message_events') }}
