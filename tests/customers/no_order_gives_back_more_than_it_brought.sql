-- No order is refunded by more than was paid, and the net revenue of its goods is never below zero.
select
    order_id,
    net_amount,
    returned_amount,
    paid_amount,
    refund_amount
from {{ ref('orders') }}
where
    (net_amount >= 0 and returned_amount > net_amount)
    or (paid_amount >= 0 and refund_amount > paid_amount)
    or returned_amount < 0
    or (is_sale and net_revenue < 0)
    or (paid_amount > 0 and refund_amount = paid_amount and returned_amount <> net_amount)
