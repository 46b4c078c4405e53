-- An order confirmation is sent unless the address is unusable or a rule stops every message.
with stops as (
    select distinct customer_id
    from {{ ref('suppressions') }}
    where scope = 'everything'
)

select contactability.*
from {{ ref('contactability') }} as contactability
left join stops on contactability.customer_id = stops.customer_id
where
    contactability.message_class = 'transactional'
    and contactability.is_allowed = (stops.customer_id is not null)
