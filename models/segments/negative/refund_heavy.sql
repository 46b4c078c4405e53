select
    customer_id,
    'Got ' || {{ percent_text('refund_share') }} || ' of their money back in ' || {{ counted('n_refunds', 'refund') }} || '.' as reason
from {{ ref('customer_values') }}
where is_refund_heavy
