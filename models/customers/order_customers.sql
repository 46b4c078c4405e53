-- Whose order it is: the shop account's customer, or for a guest the one whose address or number was given, or the
-- visitor where the order names no one else (var `keep_anonymous_visitors`). Of somebody who came back after an erasure
-- only what they ordered since.
with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

records as (
    select
        record_key,
        customer_id,
        erased_until
    from {{ ref('record_customers') }}
),

{% if var('keep_anonymous_visitors') -%}
visitors as (
    select
        record_id as visitor_id,
        customer_id
    from {{ ref('customer_keys') }}
    where record_type = 'web_visitor' and cluster_state <> 'shared device'
),

{% endif -%}

-- What a status says was given back whole counts as sold and given back where a refund says how much, and else not at all.
refunded as (
    select distinct order_id from {{ ref('stg_shop__refunds') }}
    where order_id is not null
),

owned as (
    select
        orders.order_id,
        orders.order_status,
        orders.ordered_at,
        coalesce(
            accounts.customer_id, guests.customer_id{{ ', visitors.customer_id' if var('keep_anonymous_visitors') }}
        ) as customer_id
    from orders
    left join records as accounts
        on
            accounts.record_key = 'shop_customer:' || orders.shop_customer_id
            and coalesce(orders.ordered_at > accounts.erased_until, accounts.erased_until is null)
    left join records as guests
        on
            guests.record_key = 'guest_checkout:' || orders.guest_id
            and coalesce(orders.ordered_at > guests.erased_until, guests.erased_until is null)
    {%- if var('keep_anonymous_visitors') %}
    left join visitors
        on
            coalesce(orders.shop_customer_id, orders.email, orders.phone) is null
            and orders.visitor_id = visitors.visitor_id
    {%- endif %}
)

select
    owned.order_id,
    owned.customer_id,
    owned.order_status is null
    or (
        owned.order_status not in ('unknown', '{{ var("not_a_sale_statuses") | join("', '") }}')
        and (owned.order_status <> 'refunded' or refunded.order_id is not null)
    ) as is_sale,
    owned.ordered_at
from owned
left join refunded on owned.order_id = refunded.order_id
where owned.customer_id is not null
