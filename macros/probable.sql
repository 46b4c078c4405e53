{# Whether probable pairs of records are joined too: var identity_probable_from. #}
{% macro joins_probable() -%}{{ return(var('identity_probable_from') is not none) }}{%- endmacro %}


{# Customers with records that are only probably theirs. #}
{% macro probable_customers() -%}
    (select customer_id from {{ ref('record_customers') }} group by customer_id having min(certain_cluster_id) <> max(certain_cluster_id))
{%- endmacro %}


{#
Pairs of names and birth dates, with whether they are two people. relation: one row per name_key, other_name_key, birth_date and
other_birth_date (as in identity_records). Adds given_names and family_names (as in compared_names), and different_because.
Stricter than two_people_because: no identifier joins the two, so birth dates that are neither near nor mistyped separate them.
#}
{% macro with_two_people(relation) -%}
    (
        select
            dated.*,
            case
                when dated.birth_dates = 'other' and dated.days_apart > 60 and dated.letters_apart > 2 then 'their birth dates differ'
                else {{ two_people_because('dated.given_names', 'dated.birth_dates') }}
            end as different_because
        from (
            select
                pairs.*,
                names.given_names,
                names.family_names,
                {{ birth_dates_compared('pairs.birth_date', 'pairs.other_birth_date') }} as birth_dates,
                abs({{ date_diff('pairs.birth_date', 'pairs.other_birth_date', 'day') }}) as days_apart,
                {{ edit_distance(
                    'cast(pairs.birth_date as ' ~ dbt.type_string() ~ ')', 'cast(pairs.other_birth_date as ' ~ dbt.type_string() ~ ')'
                ) }} as letters_apart
            from {{ relation }} as pairs
            inner join {{ names_compared('(select distinct name_key, other_name_key from ' ~ relation ~ ')') }} as names
                on pairs.name_key = names.name_key and pairs.other_name_key = names.other_name_key
        ) as dated
    )
{%- endmacro %}


{#
CTEs that end in clusters_of_two_people: the pairs of clusters in a relation (first_cluster_id, cluster_id) that hold two
people, by any of their names and birth dates, or by the verdict of compared_records on two of their records.
#}
{% macro clusters_of_two_people(relation) -%}
    cluster_pairs as (
        select distinct
            first_cluster_id,
            cluster_id
        from {{ relation }}
    ),

    members as (
        select distinct
            clusters.certain_cluster_id,
            {{ name_key('records.first_name', 'records.last_name') }} as name_key,
            records.birth_date
        from {{ ref('certain_clusters') }} as clusters
        inner join {{ ref('identity_records') }} as records on clusters.record_key = records.record_key
        where coalesce(records.first_name, records.last_name) is not null
    ),

    member_pairs as (
        select
            cluster_pairs.first_cluster_id,
            cluster_pairs.cluster_id,
            one.name_key,
            one.birth_date,
            other.name_key as other_name_key,
            other.birth_date as other_birth_date
        from cluster_pairs
        inner join members as one on cluster_pairs.first_cluster_id = one.certain_cluster_id
        inner join members as other on cluster_pairs.cluster_id = other.certain_cluster_id
    ),

    clusters_of_two_people as (
        select
            first_cluster_id,
            cluster_id
        from {{ with_two_people('member_pairs') }} as compared
        where different_because is not null
        union distinct
        select
            least(one.certain_cluster_id, other.certain_cluster_id) as first_cluster_id,
            greatest(one.certain_cluster_id, other.certain_cluster_id) as cluster_id
        from {{ ref('compared_records') }} as compared
        inner join {{ ref('certain_clusters') }} as one on compared.record_key = one.record_key
        inner join {{ ref('certain_clusters') }} as other on compared.other_record_key = other.record_key
        where compared.verdict = 'different'
    )
{%- endmacro %}
