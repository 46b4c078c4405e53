{{ config(materialized='incremental', incremental_strategy='replace_changed', unique_key='order_line_id', meta={'built_through': 'order_lines.ordered_at'}) }}
{{ typed('shop', 'order_lines', orders=ref('stg_shop__orders')) }}
