{{ config(materialized='view') }}
-- Refunds that a shop records twice count once.
-- Longer than 120 lines because a head finds its lines by id, by day or by exact time, and each way needs what the ways before
-- it left.
with orders as (
    select
        order_id,
        shipping_amount
    from {{ ref('stg_shop__orders') }}
),

refunds as (
    select
        refunds.*,
        {{ day_of('refunds.refunded_at') }} as refunded_on,
        refunds.order_line_id is not null or refunds.product_id is not null as is_of_line
    from {{ ref('stg_shop__refunds') }} as refunds
),

-- Many shops record a refund twice: as a whole (the head) and line by line. A head covers the lines whose ids begin with its
-- own, …
heads as (
    select
        refunds.*,
        orders.shipping_amount as order_shipping
    from refunds
    inner join orders on refunds.order_id = orders.order_id
    where not refunds.is_of_line
),

parts as (
    select * from refunds where is_of_line and order_id is not null
),

named_parts as (
    select
        parts.refund_id,
        max(heads.refund_id) as head_id,
        max(case when heads.tax_amount is not null then 1 else 0 end) as is_tax_known
    from parts
    inner join heads
        on
            parts.order_id = heads.order_id
            and substr(parts.refund_id, 1, length(heads.refund_id)) = heads.refund_id
            and {{ matches_pattern('substr(parts.refund_id, length(heads.refund_id) + 1, 1)', '^[^0-9A-Za-z]$') }}
    group by parts.refund_id
),

named_heads as (
    select
        named_parts.head_id as refund_id,
        sum(parts.refund_amount) as parts_amount,
        sum(coalesce(parts.tax_amount, 0)) as parts_tax
    from named_parts
    inner join parts on named_parts.refund_id = parts.refund_id
    group by named_parts.head_id
),

-- … or the lines of the same order and day, if they add up to it, with or without shipping, or have its exact time.
parts_by_day as (
    select
        parts.order_id,
        parts.refunded_on,
        sum(parts.refund_amount) as parts_amount,
        sum(coalesce(parts.tax_amount, 0)) as parts_tax,
        min(parts.refunded_at) as first_refunded_at,
        max(parts.refunded_at) as last_refunded_at
    from parts
    left join named_parts on parts.refund_id = named_parts.refund_id
    where named_parts.refund_id is null
    group by parts.order_id, parts.refunded_on
),

unnamed_heads as (
    select
        heads.*,
        count(*) over (partition by heads.order_id, heads.refunded_on) as n_heads,
        sum(heads.refund_amount) over (partition by heads.order_id, heads.refunded_on) as heads_amount
    from heads
    left join named_heads on heads.refund_id = named_heads.refund_id
    where named_heads.refund_id is null
),

dated_heads as (
    select
        heads.refund_id,
        heads.order_id,
        heads.refunded_on,
        heads.tax_amount,
        case when heads.n_heads > 1 and heads.heads_amount = parts.parts_amount then heads.refund_amount else parts.parts_amount end as parts_amount,
        parts.parts_tax
    from unnamed_heads as heads
    inner join parts_by_day as parts on heads.order_id = parts.order_id and heads.refunded_on = parts.refunded_on
    where
        heads.refund_amount = parts.parts_amount
        or heads.refund_amount = parts.parts_amount + heads.order_shipping
        or (heads.n_heads > 1 and heads.heads_amount = parts.parts_amount)
        or (
            heads.n_heads = 1
            and heads.refund_amount > parts.parts_amount
            and heads.refunded_at = parts.first_refunded_at
            and heads.refunded_at = parts.last_refunded_at
            and heads.refunded_at <> {{ day_begins('cast(heads.refunded_on as timestamp)') }}
        )
),

all_heads as (
    select
        refund_id,
        parts_amount,
        parts_tax
    from named_heads
    union all
    select
        refund_id,
        parts_amount,
        parts_tax
    from dated_heads
),

days_with_tax as (
    select distinct
        order_id,
        refunded_on
    from dated_heads
    where tax_amount is not null
),

-- A head counts only with the amount beyond its lines. If the head has the tax of all lines, the lines count without tax.
deduplicated_refunds as (
    select
        refunds.*,
        case when all_heads.refund_id is null then refunds.refund_amount else greatest(refunds.refund_amount - all_heads.parts_amount, 0) end as once_amount,
        case
            when all_heads.refund_id is not null then greatest(refunds.tax_amount - all_heads.parts_tax, 0)
            when refunds.tax_amount is null and (named_parts.is_tax_known = 1 or days_with_tax.order_id is not null) then 0
            else refunds.tax_amount
        end as once_tax,
        -- An amount beyond the lines that equals the shipping is shipping.
        case
            when refunds.shipping_amount is null and refunds.refund_amount = all_heads.parts_amount + orders.shipping_amount
                then orders.shipping_amount
            else coalesce(refunds.shipping_amount, 0)
        end as once_shipping,
        all_heads.refund_id is not null as is_head
    from refunds
    left join orders on refunds.order_id = orders.order_id
    left join all_heads on refunds.refund_id = all_heads.refund_id
    left join named_parts on refunds.refund_id = named_parts.refund_id
    left join days_with_tax
        on
            refunds.is_of_line
            and named_parts.refund_id is null
            and refunds.order_id = days_with_tax.order_id
            and refunds.refunded_on = days_with_tax.refunded_on
)

select
    refund_id,
    order_id,
    order_line_id,
    shop_customer_id,
    product_id,
    quantity,
    once_amount,
    once_tax,
    once_shipping,
    refund_reason,
    is_head,
    refunded_at
from deduplicated_refunds
