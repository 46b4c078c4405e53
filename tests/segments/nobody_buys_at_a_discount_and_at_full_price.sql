-- Nobody is said to buy at a discount and at full price.
with members as (
    {{ members_today(['discount_driven', 'full_price_buyers']) }}
)

select customer_id
from members
group by customer_id
having count(*) > 1
