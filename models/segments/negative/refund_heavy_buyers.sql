-- Entering follows the suppression rule refund_heavy. Staying needs a lower refund share: with few orders, one order moves
-- the share far.
with refunds as (
    select
        customer_id,
        count(distinct {{ day_of('refunded_at') }}) as n_refund_days
    from {{ ref('refunds') }}
    where is_sale
    group by customer_id
)

select
    customers.customer_id,
    rfm_scores.is_refund_heavy as may_enter,
    'Got ' || {{ percent_text('customers.refund_share') }} || ' of their money back on '
    || {{ counted('refunds.n_refund_days', 'day') }} || '.' as reason
from {{ ref('customers') }} as customers
inner join {{ ref('rfm_scores') }} as rfm_scores on customers.customer_id = rfm_scores.customer_id
inner join refunds on customers.customer_id = refunds.customer_id
where
    customers.refund_share >= {{ var('refund_heavy_share') - var('refund_heavy_band_share') }}
    and refunds.n_refund_days >= {{ var('refund_heavy_days') }}
