-- One pass over the message events for all suppression rules that need them.
{% set cap_days = var('frequency_cap_days') %}
{% set click_days = 7 %}
{% set household_days = var('household_rest_days') %}
with customers as (
    select
        customer_id,
        widest_mailbox
    from {{ with_mailboxes(ref('customers')) }}
),

addresses as (
    select
        profile_id,
        widest_mailbox,
        min(coalesce(from_at, cast('1900-01-01' as timestamp))) as from_at,
        max(coalesce(until_at, cast('9999-01-01' as timestamp))) as until_at
    from {{ with_mailboxes(profile_addresses()) }} as profile_mailboxes
    group by profile_id, widest_mailbox
),

profiles_with_address as (
    select distinct profile_id from addresses
),

-- A message of an unknown campaign counts as marketing.
events as (
    select
        event_id,
        customer_id,
        profile_id,
        event_type,
        is_sending,
        -- A bounce without a type counts as soft.
        case when event_type = 'bounced' then coalesce(bounce_type, 'soft') end as bounce_type,
        coalesce(message_class, 'promotional') as message_class,
        occurred_at
    from {{ ref('email_events') }}
    where
        event_type in ('bounced', 'complained', 'unsubscribed')
        or (event_type = 'clicked' and not is_machine and occurred_at > {{ date_add('day', -([click_days, var('soft_bounce_days')] | max), as_of()) }})
        or (event_type = 'opened' and not is_machine and occurred_at > {{ date_add('day', -var('soft_bounce_days'), as_of()) }})
        or (event_type = 'delivered' and occurred_at > {{ date_add('day', -var('soft_bounce_days'), as_of()) }})
        or (is_sending and occurred_at > {{ date_add('day', -([cap_days, household_days] | max), as_of()) }})
),

-- A bounce belongs to the mailbox that the profile had that day. It counts only if that is the customer's mailbox today.
flagged_events as (
    select
        events.*,
        addresses.profile_id is not null
        or profiles_with_address.profile_id is null
        or customers.widest_mailbox is null as is_of_todays_address,
        events.is_sending
        and events.message_class <> 'transactional'
        and events.occurred_at > {{ date_add('day', -cap_days, as_of()) }} as is_capped,
        -- Clicks in transactional messages do not count: every order causes some.
        events.event_type = 'clicked'
        and events.message_class <> 'transactional'
        and events.occurred_at > {{ date_add('day', -click_days, as_of()) }} as is_rested_from
    from events
    inner join customers on events.customer_id = customers.customer_id
    left join profiles_with_address on events.profile_id = profiles_with_address.profile_id
    left join addresses
        on
            events.profile_id = addresses.profile_id
            and customers.widest_mailbox = addresses.widest_mailbox
            and {{ is_of_its_time('events.occurred_at', 'addresses') }}
),

ranked_events as (
    select
        *,
        row_number() over (partition by customer_id, is_capped order by occurred_at desc, event_id desc) as newest_first,
        row_number() over (partition by customer_id, is_capped order by occurred_at, event_id) as oldest_first,
        -- Some ESPs report opens and clicks, but no deliveries.
        max(case when event_type in ('delivered', 'opened', 'clicked') and is_of_todays_address then occurred_at end)
            over (partition by customer_id) as last_reached_at
    from flagged_events
)

select
    customer_id,
    cast(count(case when is_capped then 1 end) as bigint) as n_marketing_messages,
    max(case when is_capped and newest_first = {{ var('frequency_cap_messages') }} then occurred_at end) as cap_sent_at,
    max(case when is_capped and oldest_first = {{ var('frequency_cap_messages') }} then occurred_at end) as capped_at,
    cast(count(case when is_rested_from then 1 end) as bigint) as n_marketing_clicks_7d,
    max(case when is_rested_from then occurred_at end) as last_marketing_clicked_at,
    max(
        case
            when
                is_sending
                and message_class = 'promotional'
                and occurred_at > {{ date_add('day', -household_days, as_of()) }}
                then occurred_at
        end
    ) as last_promoted_at,
    cast(
        count(
            case
                when
                    bounce_type = 'soft'
                    and is_of_todays_address
                    and occurred_at > {{ date_add('day', -var('soft_bounce_days'), as_of()) }}
                    and occurred_at > coalesce(last_reached_at, cast('1900-01-01' as timestamp))
                    then 1
            end
        ) as bigint
    ) as n_soft_bounces,
    max(case when bounce_type = 'soft' and is_of_todays_address then occurred_at end) as last_soft_bounced_at,
    max(case when event_type = 'complained' then occurred_at end) as last_complained_at,
    max(case when event_type = 'unsubscribed' then occurred_at end) as last_unsubscribed_at
from ranked_events
group by customer_id
