select
    customer_id,
    recency_score,
    frequency_score,
    monetary_score as money_score,
    order_value_band,
    order_value_rank_share,
    average_order_value,
    n_orders,
    n_discounted_orders,
    refund_share,
    is_discount_driven,
    is_full_price_buyer,
    is_refund_heavy
from {{ ref('rfm_scores') }}
