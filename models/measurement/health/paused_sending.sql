-- What is paused now: paused, and not lifted on that day or later.
with pauses as (
    select
        source,
        mailbox_provider,
        max(paused_at) as paused_at,
        {{ value_at_max('reason', 'paused_at', is_unique=true) }} as reason
    from {{ ref('sending_pauses') }}
    where paused_at <= {{ as_of() }}
    group by source, mailbox_provider
),

lifts as (
    select * from {{ ref('last_lifts') }}
)

select
    pauses.source,
    pauses.mailbox_provider,
    pauses.paused_at,
    pauses.reason
from pauses
left join lifts on pauses.source = lifts.source and pauses.mailbox_provider = lifts.mailbox_provider
where coalesce(lifts.lifted_on < cast(pauses.paused_at as date), true)
