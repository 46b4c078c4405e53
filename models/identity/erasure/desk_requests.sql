-- Every request that the privacy desk has, including rejected rows, read as strictly as possible. A flaw stops neither the
-- request nor its clock.
{% set accepted = {
    'request_type': ['access', 'erasure', 'objection', 'rectification', 'portability'],
    'status': ['received', 'in_progress', 'done', 'refused'],
} %}
with own_country as (
    {{ default_country_codes() }}
),

desk_rows as (
    select
        base.*,
        lower(trim(base.request_type)) as type_word,
        lower(trim(base.status)) as status_word,
        {{ dialled_phone('base.phone') }} as dialled,
        own_country.calling_code,
        own_country.trunk_prefix
    from {{ ref('base_privacy__requests') }} as base
    cross join own_country
),

parsed_requests as (
    select
        desk.request_id,
        desk.email,
        coalesce({{ e164('desk.dialled', 'desk.calling_code', 'desk.trunk_prefix') }}, desk.phone) as phone,
        desk.customer_id as shop_customer_id,
        case when desk.type_word in ('{{ accepted.request_type | join("', '") }}') then desk.type_word else 'unknown' end as request_type,
        -- A missing or unknown status refuses nothing.
        case when desk.status_word in ('{{ accepted.status | join("', '") }}') then desk.status_word else 'received' end as request_status,
        coalesce(desk.status_word in ('{{ var("statuses_that_may_refuse") | join("', '") }}'), false) as may_be_refused,
        case
            when desk.received_at between cast('{{ var("first_request_on") }}' as timestamp) and {{ as_of() }} then desk.received_at
        end as dated_at,
        coalesce(desk.received_at > {{ as_of() }}, false) as is_dated_ahead,
        -- A completion date under an unknown status, or before the request, does not count.
        case
            when desk.status_word is not null and desk.status_word not in ('{{ accepted.status | join("', '") }}') then null
            when desk.completed_at < cast('{{ var("first_request_on") }}' as timestamp) then null
            when desk.received_at <= {{ as_of() }} and cast(desk.completed_at as date) < cast(desk.received_at as date) then null
            else desk.completed_at
        end as completed_at,
        desk.reject_reason is null as is_kept,
        nullif({{ joined('; ', [
            "case when desk.request_id is null then 'it has no id' end",
            "case when desk.type_word is null then 'its type is missing'"
            ~ " when desk.type_word not in ('" ~ accepted.request_type | join("', '") ~ "') then 'its type is unknown' end",
            "case when desk.status_word is null then 'its status is missing'"
            ~ " when desk.status_word not in ('" ~ accepted.status | join("', '") ~ "') then 'its status is unknown' end",
            "case when desk.received_at is null then 'it has no readable date'"
            ~ " when desk.received_at > " ~ as_of() ~ " then 'it is dated in the future'"
            ~ " when desk.received_at < cast('" ~ var('first_request_on') ~ "' as timestamp)"
            ~ " then 'it is dated before ' || " ~ day_text("cast('" ~ var('first_request_on') ~ "' as timestamp)") ~ " end",
            "case when cast(desk.completed_at as date) < cast(desk.received_at as date) and desk.received_at <= " ~ as_of()
            ~ " then 'it was completed before it was received' end",
            "case when desk.blanked_columns like '%email%' then 'its e-mail address is not readable' end",
            "case when coalesce(desk.email, desk.phone, desk.customer_id) is null"
            ~ " then 'it has no readable e-mail address, phone number or account' end",
        ]) }}, '') as issue
    from desk_rows as desk
),

hashed_requests as (
    select
        parsed_requests.*,
        case when parsed_requests.email is not null then {{ identifier_hash("'email'", 'parsed_requests.email') }} end as email_hash,
        case when parsed_requests.phone is not null then {{ identifier_hash("'phone'", 'parsed_requests.phone') }} end as phone_hash,
        case
            when parsed_requests.shop_customer_id is not null
                then {{ identifier_hash("'record'", "'shop_customer:' || parsed_requests.shop_customer_id") }}
        end as account_hash
    from parsed_requests
    cross join {{ ref('erasure_salt') }} as salt
),

requests_with_hash as (
    select
        *,
        {{ dbt.hash("coalesce(email_hash, '') || '/' || coalesce(phone_hash, '') || '/' || coalesce(account_hash, '')") }} as names_hash
    from hashed_requests
),

ranked_copies as (
    select
        *,
        coalesce(request_id, 'without id ' || substr(names_hash, 1, 8)) as desk_request_id,
        row_number() over (
            partition by request_id, names_hash, request_type
            order by
                is_kept desc, request_status = 'refused' asc, may_be_refused asc, dated_at desc nulls last,
                completed_at desc nulls last, issue asc nulls first
        ) as copy_number
    from requests_with_hash
)

-- Of an id, place 1 is the row that staging keeps.
select
    desk_request_id,
    names_hash,
    email_hash,
    phone_hash,
    account_hash,
    email,
    phone,
    shop_customer_id,
    request_type,
    request_status,
    may_be_refused,
    dated_at,
    is_dated_ahead,
    completed_at,
    issue,
    row_number() over (
        partition by desk_request_id
        order by is_kept desc, request_type = 'unknown' asc, dated_at desc nulls last, names_hash asc, request_type asc
    ) as place
from ranked_copies
where copy_number = 1
