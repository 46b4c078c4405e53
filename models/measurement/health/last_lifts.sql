-- When a person last lifted the pause of a flow at a mailbox provider.
select
    source,
    mailbox_provider,
    max(cast(lifted_on as date)) as lifted_on
from {{ ref('lifted_pauses') }}
where cast(lifted_on as date) <= {{ as_of_day() }}
group by source, mailbox_provider
