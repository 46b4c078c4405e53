-- Every request that the privacy desk has, those that staging set aside too, read as strictly as it can be read: what is
-- wrong with one stops neither its clock nor the request.
{% set accepted = {
    'request_type': ['access', 'erasure', 'objection', 'rectification', 'portability'],
    'status': ['received', 'in_progress', 'done', 'refused'],
} %}
with own_country as (
    {{ default_country_codes() }}
),

given as (
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

read_rows as (
    select
        given.request_id,
        given.email,
        coalesce({{ e164('given.dialled', 'given.calling_code', 'given.trunk_prefix') }}, given.phone) as phone,
        given.customer_id as shop_customer_id,
        case when given.type_word in ('{{ accepted.request_type | join("', '") }}') then given.type_word else 'unknown' end as request_type,
        -- Nothing was said against a request without a status, or with one that says nothing we know.
        case when given.status_word in ('{{ accepted.status | join("', '") }}') then given.status_word else 'received' end as request_status,
        coalesce(given.status_word in ('{{ var("statuses_that_may_refuse") | join("', '") }}'), false) as may_be_refused,
        case
            when given.received_at between cast('{{ var("first_request_on") }}' as timestamp) and {{ as_of() }} then given.received_at
        end as dated_at,
        coalesce(given.received_at > {{ as_of() }}, false) as is_dated_ahead,
        -- An answer under a status that can't be read, or from before the request, is none.
        case
            when given.status_word is not null and given.status_word not in ('{{ accepted.status | join("', '") }}') then null
            when given.completed_at < cast('{{ var("first_request_on") }}' as timestamp) then null
            when given.received_at <= {{ as_of() }} and cast(given.completed_at as date) < cast(given.received_at as date) then null
            else given.completed_at
        end as completed_at,
        given.reject_reason is null as is_kept,
        nullif({{ joined('; ', [
            "case when given.request_id is null then 'it has no id' end",
            "case when given.type_word is null then 'its type is missing'"
            ~ " when given.type_word not in ('" ~ accepted.request_type | join("', '") ~ "') then 'its type is none we know' end",
            "case when given.status_word is null then 'its status is missing'"
            ~ " when given.status_word not in ('" ~ accepted.status | join("', '") ~ "') then 'its status is none we know' end",
            "case when given.received_at is null then 'it has no date that can be read'"
            ~ " when given.received_at > " ~ as_of() ~ " then 'it is dated in the future'"
            ~ " when given.received_at < cast('" ~ var('first_request_on') ~ "' as timestamp)"
            ~ " then 'it is dated before ' || " ~ day_text("cast('" ~ var('first_request_on') ~ "' as timestamp)") ~ " end",
            "case when cast(given.completed_at as date) < cast(given.received_at as date) and given.received_at <= " ~ as_of()
            ~ " then 'it is answered before it came in' end",
            "case when given.blanked_columns like '%email%' then 'its e-mail address is not readable' end",
            "case when coalesce(given.email, given.phone, given.customer_id) is null then 'it names no person that can be read' end",
        ]) }}, '') as issue
    from given
),

hashed as (
    select
        read_rows.*,
        case when read_rows.email is not null then {{ identifier_hash("'email'", 'read_rows.email') }} end as email_hash,
        case when read_rows.phone is not null then {{ identifier_hash("'phone'", 'read_rows.phone') }} end as phone_hash,
        case
            when read_rows.shop_customer_id is not null
                then {{ identifier_hash("'record'", "'shop_customer:' || read_rows.shop_customer_id") }}
        end as account_hash
    from read_rows
    cross join {{ ref('erasure_salt') }} as salt
),

keyed as (
    select
        *,
        {{ dbt.hash("coalesce(email_hash, '') || '/' || coalesce(phone_hash, '') || '/' || coalesce(account_hash, '')") }} as names_hash
    from hashed
),

-- Copies of one request are one.
ranked as (
    select
        *,
        coalesce(request_id, 'without id ' || substr(names_hash, 1, 8)) as desk_request_id,
        row_number() over (
            partition by request_id, names_hash, request_type
            order by
                is_kept desc, request_status = 'refused' asc, may_be_refused asc, dated_at desc nulls last,
                completed_at desc nulls last, issue asc nulls first
        ) as copy_number
    from keyed
)

-- The first of an id is the one that staging keeps.
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
from ranked
where copy_number = 1
