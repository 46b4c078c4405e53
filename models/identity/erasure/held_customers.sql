select
    named_customers.customer_id,
    legal_holds.identifier_type,
    legal_holds.identifier,
    legal_holds.why,
    legal_holds.held_since,
    legal_holds.held_until
from {{ ref('named_identifiers') }} as named_identifiers
inner join {{ ref('named_customers') }} as named_customers
    on
        named_identifiers.identifier_type = named_customers.identifier_type
        and named_identifiers.person_identifier = named_customers.identifier
inner join {{ ref('legal_holds') }} as legal_holds
    on named_identifiers.named_by_id = legal_holds.identifier_type || '/' || legal_holds.identifier
where named_identifiers.named_by = 'legal hold'
