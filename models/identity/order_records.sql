{{ config(materialized='view') }}
-- Whom an order names: its account, or a guest by the address and phone number given, where it has no account or one that
-- is no person's; or the device alone, where devices are customers (var `keep_anonymous_visitors`).
with orders as (
    select
        orders.*,
        case when impersonal.identifier is null then orders.shop_customer_id end as account_id
    from {{ ref('stg_shop__orders') }} as orders
    left join {{ ref('impersonal_identifiers') }} as impersonal
        on impersonal.identifier_type = 'shop_customer_id' and orders.shop_customer_id = impersonal.identifier
),

guests as (
    select
        *,
        case
            when account_id is null and coalesce(email, phone) is not null
                then {{ dbt.hash("coalesce(email, '') || '/' || coalesce(phone, '')") }}
        end as guest_id
    from orders
)

select
    order_id,
    coalesce(
        'shop_customer:' || account_id,
        'guest_checkout:' || guest_id
        {%- if var('keep_anonymous_visitors') %},
        case when shop_customer_id is null then 'web_visitor:' || visitor_id end
        {%- endif %}
    ) as record_key,
    account_id as shop_customer_id,
    guest_id,
    visitor_id,
    email,
    phone,
    first_name,
    last_name,
    country_code,
    order_status,
    ordered_at,
    updated_at
from guests
