{{ config(
    materialized='incremental', incremental_strategy='replace_flawed', unique_key='event_id', event_time='occurred_at',
    meta={'built_through': 'stg_web__sessions.started_at'}
) }}
{{ flawed('web', 'events') }}
