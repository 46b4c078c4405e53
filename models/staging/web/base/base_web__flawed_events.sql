{{ config(materialized='incremental', event_time='occurred_at', meta={'built_through': 'stg_web__sessions.started_at'}) }}
{{ flawed('web', 'events') }}
