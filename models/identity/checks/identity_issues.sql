-- For review: what the guards against joining too much did, and phone numbers that could not be read.
-- Longer than 120 lines because seven kinds of issues come from seven tables.
with identifiers as (
    select
        person_identifiers.*,
        count(*) over (partition by person_identifiers.identifier_type, person_identifiers.identifier) as n_records
    from {{ ref('person_identifiers') }} as person_identifiers
    inner join {{ ref('record_customers') }} as records on person_identifiers.record_key = records.record_key
),

unjoined_identifiers as (
    select
        'identifier joins no records' as issue_type,
        identifier_type as subject_type,
        identifier as subject,
        why_not as why,
        count(*) as n_records,
        min(record_key) as example_record_key
    from identifiers
    where why_not is not null and n_records > 1
    group by identifier_type, identifier, why_not
),

-- Identifiers that two people used one after the other, or that two people of one name share.
two_person_identifiers as (
    select
        'identifier of two people' as issue_type,
        compared.identifier_type as subject_type,
        compared.identifier as subject,
        compared.different_because as why,
        count(distinct compared.record_key) + 1 as n_records,
        min(compared.record_key) as example_record_key
    from {{ ref('compared_records') }} as compared
    inner join {{ ref('record_customers') }} as one on compared.record_key = one.record_key
    inner join {{ ref('record_customers') }} as other on compared.other_record_key = other.record_key
    where compared.different_because <> 'their given names differ'
    group by compared.identifier_type, compared.identifier, compared.different_because
),

oversized_clusters as (
    select
        case when records.cluster_state = 'quarantined' then 'cluster quarantined' else 'cluster broken' end as issue_type,
        'cluster' as subject_type,
        min(records.record_key) as subject,
        'more than {{ var("identity_max_records_per_customer") }} records in one cluster'
        || case
            when records.cluster_state = 'quarantined' then ', even without phone numbers'
            else ', split at phone numbers'
        end as why,
        count(*) as n_records,
        min(records.record_key) as example_record_key
    from {{ ref('record_customers') }} as records
    inner join {{ ref('identity_clusters') }} as clusters on {{ node_id('records.record_key') }} = clusters.node_id
    where records.cluster_state in ('broken', 'quarantined')
    group by clusters.component_id, records.cluster_state
),

ambiguous_identifiers as (
    select
        'identifier leads to several customers' as issue_type,
        identifier_type as subject_type,
        identifier as subject,
        'events with no other identifier are attributed to no customer' as why,
        n_customers as n_records,
        cast(null as {{ dbt.type_string() }}) as example_record_key
    from {{ ref('identifier_customers') }}
    where n_customers > 1
),

shared_devices as (
    select
        'shared device' as issue_type,
        'web_visitor' as subject_type,
        visitor_id as subject,
        'several customers logged in or gave an address on this device' as why,
        n_customers as n_records,
        'web_visitor:' || visitor_id as example_record_key
    from {{ ref('visitor_customers') }}
    where n_customers > 1
),

unread_phones as (
    select
        'phone number not understood' as issue_type,
        'phone' as subject_type,
        identity_records.phone_as_given as subject,
        'not a valid number of its country, and not in international format' as why,
        count(*) as n_records,
        min(identity_records.record_key) as example_record_key
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as records on identity_records.record_key = records.record_key
    where identity_records.phone is null and identity_records.phone_as_given is not null
    group by identity_records.phone_as_given
),

non_person_identifiers as (
    select
        'not a person' as issue_type,
        identifier_type as subject_type,
        identifier as subject,
        why,
        n_orders as n_records,
        case when identifier_type = 'shop_customer_id' then 'shop_customer:' || identifier end as example_record_key
    from {{ ref('impersonal_identifiers') }}
    where n_orders > 0 or why not like 'blocked%'
),

issues as (
    select * from non_person_identifiers
    union all
    select * from unjoined_identifiers
    union all
    select * from two_person_identifiers
    union all
    select * from oversized_clusters
    union all
    select * from ambiguous_identifiers
    union all
    select * from shared_devices
    union all
    select * from unread_phones
)

select
    {{ dbt.hash("issue_type || '/' || subject_type || '/' || subject || '/' || why") }} as issue_id,
    issue_type,
    subject_type,
    subject,
    why,
    cast(n_records as bigint) as n_records,
    example_record_key
from issues
