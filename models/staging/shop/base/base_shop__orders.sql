{{ config(materialized='incremental', incremental_strategy='replace_changed', unique_key='order_id', meta={'built_through': 'stg_shop__orders.ordered_at'}) }}
{{ typed('shop', 'orders') }}
