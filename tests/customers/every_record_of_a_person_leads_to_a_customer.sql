-- Every record of a person has a row in customers, and every customer has a record.
with keyed as (
    select distinct customer_id
    from {{ ref('customer_keys') }}
    where record_type <> 'web_visitor'{{ " or cluster_state = 'anonymous'" if var('keep_anonymous_visitors') }}
)

select
    keyed.customer_id as keyed_customer_id,
    customers.customer_id
from keyed
full outer join {{ ref('customers') }} as customers on keyed.customer_id = customers.customer_id
where keyed.customer_id is null or customers.customer_id is null
