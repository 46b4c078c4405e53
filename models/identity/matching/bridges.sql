-- Records whose two identifiers would merge two records with different names or birth dates into one person. An account
-- outranks an address, and an address outranks a number.
{% set tell_apart = ['given_1', 'given_2', 'title', 'generation', 'birth_date'] %}
with identifiers as (
    select
        *,
        case identifier_type when 'shop_customer_id' then 1 when 'email' then 2 else 3 end as place
    from {{ ref('record_identifiers') }}
    where n_records > 1 and why_not is null
),

suspects as (
    select record_key
    from identifiers
    group by record_key
    having
        count(*) > 1
        and (
            max(case when is_compared then 1 else 0 end) = 1
            {% for column in tell_apart -%}
            or coalesce(min(least_{{ column }}) <> max(greatest_{{ column }}), false)
            {% endfor %}
        )
)

select
    bridge.record_key,
    bridge.identifier_type,
    bridge.identifier,
    near.record_key as near_record_key,
    weaker.identifier_type as weaker_type,
    weaker.identifier as weaker_identifier,
    far.record_key as far_record_key,
    near.name_key,
    far.name_key as other_name_key,
    near.birth_date,
    far.birth_date as other_birth_date,
    bridge.is_compared,
    weaker.is_compared as is_weaker_compared
from suspects
inner join identifiers as bridge on suspects.record_key = bridge.record_key
inner join identifiers as weaker on suspects.record_key = weaker.record_key and bridge.place < weaker.place
inner join identifiers as near
    on
        bridge.identifier_type = near.identifier_type
        and bridge.identifier = near.identifier
        and bridge.record_key <> near.record_key
inner join identifiers as far
    on
        weaker.identifier_type = far.identifier_type
        and weaker.identifier = far.identifier
        and weaker.record_key <> far.record_key
where
    near.record_key <> far.record_key
    and (
        {% for column in tell_apart -%}
        coalesce(near.{{ column }} <> far.{{ column }}, false){{ ' or' if not loop.last }}
        {% endfor %}
    )
