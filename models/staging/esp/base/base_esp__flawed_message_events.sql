{{ config(
    materialized='incremental', event_time='occurred_at',
    meta={'built_through': 'stg_esp__profile_days.activity_on', 'built_where': has_feed_events(), 'never_late': is_refusal()}
) }}
{{ flawed('esp', 'message_events') }}
