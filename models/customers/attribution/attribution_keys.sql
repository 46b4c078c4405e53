{{ config(materialized='view') }}
-- Whose the past is: what of it is attributed to a customer follows the device, the shop account logged in, or the profile.
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
