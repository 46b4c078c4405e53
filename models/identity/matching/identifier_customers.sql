-- The customer that an e-mail address or a shop account leads to, for events with no other identifier. An identifier that an
-- erased person had too leads to no customer, because the event may have been theirs.
with records as (
    select
        identity_records.email,
        identity_records.shop_customer_id,
        record_customers.customer_id
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as record_customers
        on identity_records.record_key = record_customers.record_key
),

identifiers as (
    select
        'email' as identifier_type,
        email as identifier,
        customer_id
    from records
    where email is not null
    union distinct
    select
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier,
        customer_id
    from records
    where shop_customer_id is not null
),

customer_counts as (
    select
        identifier_type,
        identifier,
        min(customer_id) as customer_id,
        count(*) as n_customers
    from identifiers
    group by identifier_type, identifier
),

erased_identifiers as (
    select
        'email' as identifier_type,
        email as identifier,
        1 as n_customers
    from {{ ref('erased_addresses') }}
    union all
    select
        'shop_customer_id' as identifier_type,
        record_id as identifier,
        1 as n_customers
    from {{ ref('known_records') }}
    where is_back and record_type = 'shop_customer'
),

total_counts as (
    select
        customer_counts.identifier_type,
        customer_counts.identifier,
        customer_counts.customer_id,
        customer_counts.n_customers + coalesce(erased.n_customers, 0) as n_customers
    from customer_counts
    left join erased_identifiers as erased
        on customer_counts.identifier_type = erased.identifier_type and customer_counts.identifier = erased.identifier
)

select
    identifier_type,
    identifier,
    case when n_customers = 1 then customer_id end as customer_id,
    n_customers
from total_counts
