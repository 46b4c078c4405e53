-- Entering needs more unanswered e-mails than staying, so that members stay when the oldest e-mails leave the window.
select
    customer_id,
    tier = 'unengaged' as may_enter,
    case
        when tier = 'unengaged' then sentence
        else {{ counted('n_emails_sent_90d', 'e-mail') }} || ' in 90 days and no session, order, click or open.'
    end as reason
from {{ ref('engagement_tiers') }}
where
    tier = 'unengaged'
    or (tier = 'unknown' and n_emails_sent_90d >= {{ var('unengaged_min_emails') - var('unengaged_band_emails') }})
