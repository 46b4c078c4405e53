-- Which request an id stands for, and since when we know of it. Only ever added to, and only forwards: a date that can't be
-- read does not start the clock again each day, and an id that the desk gives to another person is another request.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with desk_requests as (
    select * from {{ ref('desk_requests') }}
),

firsts as (
    select
        desk_request_id,
        email_hash,
        phone_hash,
        account_hash
    from desk_requests
    where place = 1
),

{% if is_incremental() -%}
known as (
    select * from {{ this }}
),

-- The same request with a name added, mended or emptied.
same_as_known as (
    select
        desk_requests.desk_request_id,
        desk_requests.names_hash,
        min(known.request_id) as request_id
    from desk_requests
    inner join known
        on
            desk_requests.desk_request_id = known.desk_request_id
            and (
                desk_requests.email_hash = known.email_hash
                or desk_requests.phone_hash = known.phone_hash
                or desk_requests.account_hash = known.account_hash
                or coalesce(desk_requests.email_hash, desk_requests.phone_hash, desk_requests.account_hash) is null
                or coalesce(known.email_hash, known.phone_hash, known.account_hash) is null
            )
    group by desk_requests.desk_request_id, desk_requests.names_hash
),

used_ids as (
    select distinct desk_request_id from known
),

forwards as (
    select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from known
),

{% endif -%}
named as (
    select
        desk_requests.*,
        {% if is_incremental() -%}
        same_as_known.request_id as known_request_id,
        used_ids.desk_request_id is not null as is_used,
        {%- else -%}
        cast(null as {{ dbt.type_string() }}) as known_request_id,
        false as is_used,
        {%- endif %}
        coalesce(
            desk_requests.place = 1
            or desk_requests.email_hash = firsts.email_hash
            or desk_requests.phone_hash = firsts.phone_hash
            or desk_requests.account_hash = firsts.account_hash
            or coalesce(desk_requests.email_hash, desk_requests.phone_hash, desk_requests.account_hash) is null,
            false
        ) as is_of_first
    from desk_requests
    inner join firsts on desk_requests.desk_request_id = firsts.desk_request_id
    {%- if is_incremental() %}
    left join same_as_known
        on desk_requests.desk_request_id = same_as_known.desk_request_id and desk_requests.names_hash = same_as_known.names_hash
    left join used_ids on desk_requests.desk_request_id = used_ids.desk_request_id
    {%- endif %}
),

identified as (
    select
        *,
        coalesce(
            known_request_id,
            case when is_of_first and not is_used then desk_request_id end,
            desk_request_id || ' / ' || substr(names_hash, 1, 8)
        ) as request_id
    from named
),

entries as (
    select
        request_id,
        desk_request_id,
        names_hash,
        email_hash,
        phone_hash,
        account_hash,
        max(coalesce(dated_at, {{ as_of() }})) as received_at
    from identified
    group by request_id, desk_request_id, names_hash, email_hash, phone_hash, account_hash
)

select
    entries.request_id,
    entries.desk_request_id,
    entries.names_hash,
    entries.email_hash,
    entries.phone_hash,
    entries.account_hash,
    entries.received_at,
    {{ as_of() }} as recorded_at
from entries
{% if is_incremental() -%}
left join known on entries.desk_request_id = known.desk_request_id and entries.names_hash = known.names_hash
cross join forwards
where forwards.is_forwards and known.request_id is null
{%- endif %}
