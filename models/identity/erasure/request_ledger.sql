-- Which request an id stands for, and when a build first saw it. Rows are only added, and only forwards. So an unreadable date
-- does not restart the clock each day, and an id that the desk reuses for another person is another request.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with desk_requests as (
    select * from {{ ref('desk_requests') }}
),

first_rows as (
    select
        desk_request_id,
        email_hash,
        phone_hash,
        account_hash
    from desk_requests
    where place = 1
),

{% if is_incremental() -%}
ledger_entries as (
    select * from {{ this }}
),

-- The same request with an identifier added, corrected or emptied.
matched_entries as (
    select
        desk_requests.desk_request_id,
        desk_requests.names_hash,
        min(ledger_entries.request_id) as request_id
    from desk_requests
    inner join ledger_entries
        on
            desk_requests.desk_request_id = ledger_entries.desk_request_id
            and (
                desk_requests.email_hash = ledger_entries.email_hash
                or desk_requests.phone_hash = ledger_entries.phone_hash
                or desk_requests.account_hash = ledger_entries.account_hash
                or coalesce(desk_requests.email_hash, desk_requests.phone_hash, desk_requests.account_hash) is null
                or coalesce(ledger_entries.email_hash, ledger_entries.phone_hash, ledger_entries.account_hash) is null
            )
    group by desk_requests.desk_request_id, desk_requests.names_hash
),

used_ids as (
    select distinct desk_request_id from ledger_entries
),

forwards as (
    select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from ledger_entries
),

{% endif -%}
matched_requests as (
    select
        desk_requests.*,
        {% if is_incremental() -%}
        matched_entries.request_id as known_request_id,
        used_ids.desk_request_id is not null as is_used,
        {%- else -%}
        cast(null as {{ dbt.type_string() }}) as known_request_id,
        false as is_used,
        {%- endif %}
        coalesce(
            desk_requests.place = 1
            or desk_requests.email_hash = first_rows.email_hash
            or desk_requests.phone_hash = first_rows.phone_hash
            or desk_requests.account_hash = first_rows.account_hash
            or coalesce(desk_requests.email_hash, desk_requests.phone_hash, desk_requests.account_hash) is null,
            false
        ) as is_of_first
    from desk_requests
    inner join first_rows on desk_requests.desk_request_id = first_rows.desk_request_id
    {%- if is_incremental() %}
    left join matched_entries
        on
            desk_requests.desk_request_id = matched_entries.desk_request_id
            and desk_requests.names_hash = matched_entries.names_hash
    left join used_ids on desk_requests.desk_request_id = used_ids.desk_request_id
    {%- endif %}
),

identified_requests as (
    select
        *,
        coalesce(
            known_request_id,
            case when is_of_first and not is_used then desk_request_id end,
            desk_request_id || ' / ' || substr(names_hash, 1, 8)
        ) as request_id
    from matched_requests
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
    from identified_requests
    group by request_id, desk_request_id, names_hash, email_hash, phone_hash, account_hash
)

select
    entries.*,
    {{ as_of() }} as recorded_at
from entries
{% if is_incremental() -%}
left join ledger_entries
    on entries.desk_request_id = ledger_entries.desk_request_id and entries.names_hash = ledger_entries.names_hash
cross join forwards
where forwards.is_forwards and ledger_entries.request_id is null
{%- endif %}
