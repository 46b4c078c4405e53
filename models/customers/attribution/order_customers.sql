-- Whose order it is: the customer of the record that it names (order_records). Of somebody who came back after an erasure
-- only what they ordered since.
with orders as (
    select * from {{ ref('order_records') }}
),

records as (
    select
        record_key,
        customer_id,
        erased_until
    from {{ ref('record_customers') }}
    {%- if var('keep_anonymous_visitors') %}
    union all
    select
        record_key,
        customer_id,
        cast(null as timestamp) as erased_until
    from {{ ref('customer_keys') }}
    where record_type = 'web_visitor' and cluster_state <> 'shared device'
    {%- endif %}
),

-- What a status says was given back whole counts as sold and given back where a refund says how much, and else not at all.
refunded as (
    select distinct order_id from {{ ref('stg_shop__refunds') }}
    where order_id is not null
),

owned as (
    select
        orders.order_id,
        records.customer_id,
        orders.order_status is null
        or (
            orders.order_status not in ('unknown', '{{ var("not_a_sale_statuses") | join("', '") }}')
            and (orders.order_status <> 'refunded' or refunded.order_id is not null)
        ) as counts,
        orders.subscription_id,
        orders.is_renewal,
        orders.ordered_at
    from orders
    inner join records on orders.record_key = records.record_key
    left join refunded on orders.order_id = refunded.order_id
    where coalesce(orders.ordered_at > records.erased_until, records.erased_until is null)
)

select
    owned.order_id,
    owned.customer_id,
    owned.counts and amounts.is_purchase as is_sale,
    owned.counts and amounts.is_return as is_return,
    owned.subscription_id,
    owned.is_renewal,
    owned.ordered_at
from owned
inner join {{ ref('order_amounts') }} as amounts on owned.order_id = amounts.order_id
