{{ config(materialized='incremental', incremental_strategy='replace_changed', unique_key='refund_id', meta={'built_through': 'stg_shop__refunds.refunded_at'}) }}
{{ typed('shop', 'refunds') }}
