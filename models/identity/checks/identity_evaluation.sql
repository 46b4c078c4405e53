-- How many records identity joined, by which identifier, and how many joins are expected to be wrong.
-- Longer than 120 lines because each measure is a select of its own.
{% set bands = [[0.9, 0.99], [0.99, 0.998], [0.998, 0.999], [0.999, 0.9999], [0.9999, 2]] %}
with records as (
    select
        record_key,
        customer_id,
        certain_cluster_id
    from {{ ref('record_customers') }}
),

customers as (
    select
        customer_id,
        count(*) as n_records
    from records
    group by customer_id
),

clusters as (
    select
        customer_id,
        certain_cluster_id,
        count(*) as n_records
    from records
    group by customer_id, certain_cluster_id
),

shared_identifiers as (
    select
        identifiers.identifier_type,
        count(*) as n_records
    from {{ ref('person_identifiers') }} as identifiers
    inner join records on identifiers.record_key = records.record_key
    where identifiers.why_not is null
    group by identifiers.identifier_type, identifiers.identifier, records.customer_id
),

pair_counts as (
    select
        (select coalesce(sum(n_records * (n_records - 1) / 2.0), 0) from customers) as n_all,
        (select coalesce(sum(n_records * (n_records - 1) / 2.0), 0) from clusters) as n_sure
),

{% if joins_probable() -%}
-- Edges whose two clusters are one customer.
joining_edges as (
    select
        edges.probability,
        edges.first_n_records * edges.n_records as n_pairs
    from {{ ref('probable_edges') }} as edges
    inner join {{ ref('probable_clusters') }} as one on edges.first_cluster_id = one.certain_cluster_id
    inner join {{ ref('probable_clusters') }} as other on edges.cluster_id = other.certain_cluster_id
    where one.cluster_id = other.cluster_id
),

cross_cluster_pairs as (
    select pairs.probability
    from {{ ref('probable_pairs') }} as pairs
    inner join {{ ref('certain_clusters') }} as one on pairs.record_key = one.record_key
    inner join {{ ref('certain_clusters') }} as other on pairs.other_record_key = other.record_key
    where one.certain_cluster_id <> other.certain_cluster_id
),

{% endif -%}
measures as (
    select
        'records' as measure,
        cast(count(*) as {{ double_type() }}) as value
    from records
    union all
    select
        'customers' as measure,
        cast(count(*) as {{ double_type() }}) as value
    from customers
    union all
    select
        'pairs of one customer' as measure,
        cast(n_all as {{ double_type() }}) as value
    from pair_counts
    {%- for identifier_type in ['email', 'phone', 'shop_customer_id'] %}
    union all
    select
        'pairs of one customer that share {{ identifier_type }}' as measure,
        cast(coalesce(sum(n_records * (n_records - 1) / 2.0), 0) as {{ double_type() }}) as value
    from shared_identifiers
    where identifier_type = '{{ identifier_type }}'
    {%- endfor %}
    union all
    select
        'pairs gained by probable edges' as measure,
        cast(n_all - n_sure as {{ double_type() }}) as value
    from pair_counts
    {%- if joins_probable() %}
    {%- for least, most in bands %}
    {%- set band = least ~ (' to ' ~ most if most <= 1 else ' and more') %}
    union all
    select
        'probable edges that join, {{ band }}' as measure,
        cast(count(*) as {{ double_type() }}) as value
    from joining_edges
    where probability >= {{ least }} and probability < {{ most }}
    union all
    select
        'probable edges expected to be wrong, {{ band }}' as measure,
        cast(coalesce(sum(1 - probability), 0) as {{ double_type() }}) as value
    from joining_edges
    where probability >= {{ least }} and probability < {{ most }}
    union all
    select
        'pairs of two clusters, {{ band }}' as measure,
        cast(count(*) as {{ double_type() }}) as value
    from cross_cluster_pairs
    where probability >= {{ least }} and probability < {{ most }}
    {%- endfor %}
    union all
    select
        'gained pairs that are probably wrong' as measure,
        cast(coalesce(sum((1 - probability) * n_pairs), 0) as {{ double_type() }}) as value
    from joining_edges
    {%- endif %}
)

select
    measure,
    value
from measures
