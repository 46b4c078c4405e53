-- An order confirmation goes out unless the address is no good or the person is to be left alone for good.
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
