select
    privacy_request_matches.customer_id,
    legal_holds.identifier_type,
    legal_holds.identifier,
    legal_holds.why,
    legal_holds.held_since,
    legal_holds.held_until
from {{ ref('privacy_request_identifiers') }} as privacy_request_identifiers
inner join {{ ref('privacy_request_matches') }} as privacy_request_matches
    on
        privacy_request_identifiers.identifier_type = privacy_request_matches.identifier_type
        and privacy_request_identifiers.person_identifier = privacy_request_matches.identifier
inner join {{ ref('legal_holds') }} as legal_holds
    on privacy_request_identifiers.named_by_id = legal_holds.identifier_type || '/' || legal_holds.identifier
where privacy_request_identifiers.named_by = 'legal hold'
