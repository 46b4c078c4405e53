-- What each campaign of the ESP is: a flow of Mailroom, whose event or campaign has its name, or a campaign of others.
select
    campaign_id,
    campaign_name,
    message_class,
    case
        when substr(lower(campaign_name), 1, 9) in ('mailroom ', 'mailroom_') then 'flow:' || lower(substr(campaign_name, 10))
        else 'campaign:' || replace(coalesce(campaign_name, campaign_id), ' > ', ' / ')
    end as source
from {{ ref('stg_esp__campaigns') }}
