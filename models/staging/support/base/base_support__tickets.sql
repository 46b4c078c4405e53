{{ config(materialized='incremental', incremental_strategy='replace_changed', unique_key='ticket_id', meta={'built_through': 'stg_support__tickets.created_at'}) }}
{{ typed('support', 'tickets') }}
