-- When a person last lifted a pause.
select
    source,
    mailbox_provider,
    engagement_tier,
    max(cast(lifted_on as date)) as lifted_on
from {{ ref('lifted_pauses') }}
where cast(lifted_on as date) <= {{ as_of_day() }}
group by source, mailbox_provider, engagement_tier
