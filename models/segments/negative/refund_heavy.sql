select
    customer_id,
    'Got ' || {{ percent_text('refund_share') }} || ' of their money back on ' || {{ counted('n_refund_days', 'day') }} || '.' as reason
from {{ ref('customer_values') }}
where is_refund_heavy
