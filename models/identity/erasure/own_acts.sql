-- What a person did themselves since the first request came in, and the record that has it: an account opened, an order, an
-- express yes on a form of their own. It makes a new customer of an erased one (GDPR art. 6(1)(a) and (b)). An import, a
-- profile or a ticket does not.
with first_request as (
    select min(received_at) as received_at from {{ ref('request_ledger') }}
),

yeses as (
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

-- A yes to an address is an act of each record that has the address, and no newer than the record is. It brings back only what
-- was first seen after a request, and for that the last yes says what all of them say: one row, not one per record and yes.
-- One that is dated ahead says nothing before its time to a record that is dated ahead too.
last_yeses as (
    select
        widest_mailbox,
        max(said_at) as said_at
    from yeses
    where widest_mailbox is not null and said_at is not null
    group by widest_mailbox, said_at > {{ as_of() }}
),

acts as (
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
    from yeses
    where shop_customer_id is not null
    union all
    select
        identity_records.record_key,
        least(last_yeses.said_at, identity_records.first_seen_at) as acted_at
    from last_yeses
    inner join {{ ref('identity_records') }} as identity_records on last_yeses.widest_mailbox = identity_records.widest_mailbox
    where identity_records.first_seen_at is not null
)

select distinct
    acts.record_key,
    records.customer_id,
    acts.acted_at
from acts
inner join first_request on acts.acted_at > first_request.received_at
inner join {{ ref('record_clusters') }} as records on acts.record_key = records.record_key
where acts.acted_at <= {{ as_of() }}
