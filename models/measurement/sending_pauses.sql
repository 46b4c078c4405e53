-- Append-only ledger of automatic pauses: a flow at one mailbox provider. Only a person lifts one (seed lifted_pauses). Campaigns that the
-- ESP sends by itself cannot be paused from here: sending_health shows them.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
with lifts as (
    select * from {{ ref('last_lifts') }}
),

pauses as (
    {% if is_incremental() -%}
    select
        source,
        mailbox_provider,
        max(paused_at) as paused_at
    from {{ this }}
    group by source, mailbox_provider
    {%- else -%}
    select
        source,
        mailbox_provider,
        cast(since_on as timestamp) as paused_at
    from {{ ref('sending_health') }}
    where false
    {%- endif %}
),

-- One reason is enough: the one with the most evidence.
reasons as (
    select
        *,
        row_number() over (partition by source, mailbox_provider order by pause_evidence desc, signal asc) as place
    from {{ ref('sending_health') }}
    where state = 'pause' and source like 'flow:%'
)

select
    reasons.source,
    reasons.mailbox_provider,
    reasons.signal,
    reasons.sentence as reason,
    {{ as_of() }} as paused_at
from reasons
left join pauses on reasons.source = pauses.source and reasons.mailbox_provider = pauses.mailbox_provider
left join lifts on reasons.source = lifts.source and reasons.mailbox_provider = lifts.mailbox_provider
where
    reasons.place = 1
    and (pauses.paused_at is null or (lifts.lifted_on >= cast(pauses.paused_at as date) and pauses.paused_at < {{ as_of() }}))
