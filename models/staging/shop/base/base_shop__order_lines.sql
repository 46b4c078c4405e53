{{ config(materialized='incremental', incremental_strategy='replace_changed', unique_key='order_line_id') }}
{{ typed('shop', 'order_lines', orders=ref('stg_shop__orders')) }}
