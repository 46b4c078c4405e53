-- What a person did themselves since the first request, by record: opened an account, ordered, or opted in expressly on a form.
-- This makes an erased person a new customer (GDPR art. 6(1)(a) and (b)). An import, a profile or a ticket does not.
with first_request as (
    select min(received_at) as received_at from {{ ref('request_ledger') }}
),

opt_ins as (
    select
        widest_mailbox,
        shop_customer_id,
        case when consent_status = 'pending' then confirmed_at else coalesce(confirmed_at, occurred_at) end as said_at
    from {{ with_mailboxes(ref('stg_privacy__consent_events')) }} as mailed
    where
        consent_status in ('granted', 'pending')
        and lawful_basis = 'express'
        and recorded_by in ('{{ var("consent_by_the_person") | join("', '") }}')
),

-- An opt-in by address is an act of each record with that address, dated no later than the record. It only brings back records
-- first seen after a request, so the last opt-in is enough: one row per address. Opt-ins dated in the future are kept apart, so
-- that they do not count before their time.
last_opt_ins as (
    select
        widest_mailbox,
        max(said_at) as said_at
    from opt_ins
    where widest_mailbox is not null and said_at is not null
    group by widest_mailbox, said_at > {{ as_of() }}
),

person_acts as (
    select
        'shop_customer:' || shop_customer_id as record_key,
        created_at as acted_at
    from {{ ref('stg_shop__customers') }}
    union all
    select
        record_key,
        ordered_at as acted_at
    from {{ ref('order_records') }}
    where not coalesce(is_renewal, false)
    {%- if 'shop_checkbox' in var('consent_by_the_person') %}
    union all
    select
        'shop_customer:' || shop_customer_id as record_key,
        accepts_marketing_at as acted_at
    from {{ ref('stg_shop__customers') }}
    where accepts_marketing
    {%- endif %}
    union all
    select
        'shop_customer:' || shop_customer_id as record_key,
        said_at as acted_at
    from opt_ins
    where shop_customer_id is not null
    union all
    select
        identity_records.record_key,
        least(last_opt_ins.said_at, identity_records.first_seen_at) as acted_at
    from last_opt_ins
    inner join {{ ref('identity_records') }} as identity_records
        on last_opt_ins.widest_mailbox = identity_records.widest_mailbox
    where identity_records.first_seen_at is not null
)

select distinct
    person_acts.record_key,
    records.customer_id,
    person_acts.acted_at
from person_acts
inner join first_request on person_acts.acted_at > first_request.received_at
inner join {{ ref('record_clusters') }} as records on person_acts.record_key = records.record_key
where person_acts.acted_at <= {{ as_of() }}
