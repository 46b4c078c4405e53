-- A return may have several refunds, one per line, so refund days are counted.
with refunds as (
    select
        customer_id,
        count(distinct {{ day_of('refunded_at') }}) as n_refund_days,
        max(refunded_at) as last_refunded_at
    from {{ ref('refunds') }}
    where is_sale
    group by customer_id
)

select
    customers.customer_id,
    'promotional' as scope,
    refunds.last_refunded_at as since,
    cast(null as timestamp) as until,
    'Got ' || {{ percent_text('customers.refund_share') }} || ' of their money back on '
    || {{ counted('refunds.n_refund_days', 'day') }} || '.' as reason
from {{ ref('customers') }} as customers
inner join refunds on customers.customer_id = refunds.customer_id
where
    customers.refund_share >= {{ var('refund_heavy_share') }}
    and refunds.n_refund_days >= {{ var('refund_heavy_days') }}
