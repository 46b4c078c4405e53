select
    record_key,
    record_type,
    record_id,
    customer_id,
    cluster_state,
    first_seen_at
from {{ ref('record_customers') }}
union all
select
    'web_visitor:' || visitor_id as record_key,
    'web_visitor' as record_type,
    visitor_id as record_id,
    coalesce(customer_id, {{ mint_customer_id("'web_visitor:' || visitor_id") }}) as customer_id,
    case
        when n_customers = 0 then 'anonymous'
        when n_customers = 1 then 'joined'
        else 'shared device'
    end as cluster_state,
    first_seen_at
from {{ ref('visitor_customers') }}
