{{ config(materialized='view') }}
-- Maps each visitor, shop account and ESP profile to the customer its history is attributed to.
with owners as (
    select
        'web_visitor:' || visitor_id as owner_key,
        {% if var('keep_anonymous_visitors') -%}
        coalesce(customer_id, case when n_customers = 0 then {{ mint_customer_id("'web_visitor:' || visitor_id") }} end) as customer_id
        {%- else -%}
        customer_id
        {%- endif %}
    from {{ ref('visitor_customers') }}
    union all
    select
        'shop_account:' || identifier as owner_key,
        customer_id
    from {{ ref('identifier_customers') }}
    where identifier_type = 'shop_customer_id'
    union all
    select
        record_key as owner_key,
        customer_id
    from {{ ref('record_customers') }}
    where record_type = 'esp_profile'
)

select
    owner_key,
    customer_id
from owners
where customer_id is not null
