-- Of no order more is given back than was paid, and what is left of its goods is never below nothing.
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
