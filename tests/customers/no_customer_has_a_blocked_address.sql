-- No customer has an address that people type to get past a form (seed blocked_identifiers): mail to it reaches a stranger.
select
    customers.customer_id,
    customers.email
from {{ ref('customers') }} as customers
inner join {{ ref('blocked_identifiers') }} as blocked
    on blocked.identifier_type = 'email' and customers.email = blocked.identifier
