select
    named_customers.customer_id,
    legal_holds.identifier_type,
    legal_holds.identifier,
    legal_holds.why,
    legal_holds.held_since,
    legal_holds.held_until
from {{ ref('named_customers') }} as named_customers
inner join {{ ref('legal_holds') }} as legal_holds
    on named_customers.named_by_id = legal_holds.identifier_type || '/' || legal_holds.identifier
where named_customers.named_by = 'legal hold' and named_customers.customer_id is not null
