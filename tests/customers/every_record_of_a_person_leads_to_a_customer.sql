-- Every record of a person has a row in customers, and every customer has a record.
with key_customers as (
    select distinct customer_id
    from {{ ref('customer_keys') }}
    where record_type <> 'web_visitor'{{ " or cluster_state = 'anonymous'" if var('keep_anonymous_visitors') }}
)

select
    key_customers.customer_id as keyed_customer_id,
    customers.customer_id
from key_customers
full outer join {{ ref('customers') }} as customers on key_customers.customer_id = customers.customer_id
where key_customers.customer_id is null or customers.customer_id is null
