-- No customer is both discount-driven and a full-price buyer.
with members as (
    {{ members_today(['discount_driven', 'full_price_buyers']) }}
)

select customer_id
from members
group by customer_id
having count(*) > 1
