-- The record that an order names: its account; a guest by address and phone number, if it has no account or a shared one; or
-- the device alone, if devices are customers (var `keep_anonymous_visitors`).
with subscription_orders as (
    select
        links.order_id,
        links.subscription_id,
        links.is_told_as_renewal,
        orders.ordered_at > min(orders.ordered_at) over (partition by links.subscription_id) as is_later
    from {{ ref('stg_billing__subscription_orders') }} as links
    inner join {{ ref('stg_shop__orders') }} as orders on links.order_id = orders.order_id
),

orders as (
    select
        orders.*,
        case when impersonal.identifier is null then orders.shop_customer_id end as account_id,
        subscription_orders.subscription_id,
        coalesce(
            subscription_orders.is_told_as_renewal, subscription_orders.subscription_id is not null and subscription_orders.is_later, false
        ) as is_renewal
    from {{ ref('stg_shop__orders') }} as orders
    left join {{ ref('impersonal_identifiers') }} as impersonal
        on impersonal.identifier_type = 'shop_customer_id' and orders.shop_customer_id = impersonal.identifier
    left join subscription_orders on orders.order_id = subscription_orders.order_id
),

orders_with_guest as (
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
    subscription_id,
    is_renewal,
    ordered_at,
    updated_at
from orders_with_guest
