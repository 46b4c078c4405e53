-- No VIP is without an order in the last 365 days.
with members as (
    {{ members_today(['vips']) }}
),

buyers as (
    select distinct customer_id
    from {{ ref('orders') }}
    where is_sale and ordered_at >= {{ date_add('day', -365, as_of_day()) }}
)

select members.customer_id
from members
left join buyers on members.customer_id = buyers.customer_id
where buyers.customer_id is null
