-- Append-only ledger of automatic pauses: a flow at one mailbox provider, for one engagement tier or all, or all flows at a provider. Only
-- a person lifts one (seed lifted_pauses). Campaigns that the ESP sends by itself cannot be paused from here: sending_health shows them.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
-- depends_on: {{ ref('last_lifts') }}
-- One reason is enough: the one with the most evidence.
with reasons as (
    select
        *,
        row_number() over (partition by source, mailbox_provider, engagement_tier order by pause_evidence desc, signal asc) as place
    from {{ ref('sending_health') }}
    where state = 'pause' and (source like 'flow:%' or source = 'all')
)
{%- if is_incremental() %},

pauses as (
    select * from ({{ standing_pauses(this) }}) as standing
)
{%- endif %}

select
    reasons.source,
    reasons.mailbox_provider,
    reasons.engagement_tier,
    reasons.signal,
    reasons.sentence as reason,
    {{ as_of() }} as paused_at
from reasons
{%- if is_incremental() %}
left join pauses
    on
        reasons.source = pauses.source
        and reasons.mailbox_provider = pauses.mailbox_provider
        and reasons.engagement_tier = pauses.engagement_tier
{%- endif %}
where reasons.place = 1{{ ' and pauses.source is null' if is_incremental() }}
