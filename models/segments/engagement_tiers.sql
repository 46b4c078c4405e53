-- Human actions only, never machines. Clicks, orders and sessions count first, opens only without any of them.
with customers as (
    select
        *,
        n_sessions_30d + n_human_clicks_30d as n_actions_30d,
        cast({{ days_since('last_seen_at') }} as bigint) as days_since_last_action,
        cast({{ days_since('last_human_opened_at') }} as bigint) as days_since_last_open,
        n_emails_sent_90d - n_emails_sent_30d as n_emails_before,
        n_human_clicks_90d - n_human_clicks_30d as n_clicks_before
    from {{ ref('customers') }}
),

customer_tiers as (
    select
        *,
        case
            when n_actions_30d >= {{ var('highly_engaged_actions') }} then 'highly_engaged'
            when days_since_last_action <= {{ var('engaged_days') }} then 'engaged'
            when least(coalesce(days_since_last_action, 99999), coalesce(days_since_last_open, 99999)) <= {{ var('lightly_engaged_days') }}
                then 'lightly_engaged'
            when n_emails_sent_90d >= {{ var('unengaged_min_emails') }} then 'unengaged'
            else 'unknown'
        end as tier
    from customers
),

-- Clicks alone are no reason: buyers and e-mail readers are different people (Zhang, Kumar and Cosguner, JMR 54(6), 2017). So a
-- session or an order in the last 30 days is enough not to be fatigued.
customer_caps as (
    select
        *,
        coalesce(
            n_emails_sent_30d >= {{ var('fatigue_min_emails') }}
            and n_emails_before >= {{ var('fatigue_min_emails') }}
            and n_clicks_before > 0
            and n_human_clicks_30d * n_emails_before <= {{ var('fatigue_click_share') }} * n_clicks_before * n_emails_sent_30d
            and n_sessions_30d = 0
            and coalesce({{ day_of('last_ordered_at') }} < {{ days_before(as_of_day(), 30) }}, true),
            false
        ) as is_fatigued,
        cast(
            case tier
                {%- for tier, cap in var('weekly_caps').items() %}
                when '{{ tier }}' then {{ cap }}
                {%- endfor %}
            end as {{ double_type() }}
        ) as tier_weekly_cap,
        cast(
            case preferred_frequency
                {%- for frequency, cap in var('stated_weekly_caps').items() %}
                when '{{ frequency }}' then {{ cap }}
                {%- endfor %}
            end as {{ double_type() }}
        ) as stated_weekly_cap
    from customer_tiers
)

select
    customer_id,
    tier,
    least(
        coalesce(tier_weekly_cap, stated_weekly_cap) / case when is_fatigued then 2 else 1 end,
        coalesce(stated_weekly_cap, tier_weekly_cap)
    ) as weekly_cap,
    is_fatigued,
    coalesce(stated_weekly_cap < tier_weekly_cap, false) as is_capped_by_preference,
    n_actions_30d,
    n_emails_sent_90d,
    days_since_last_action,
    days_since_last_open,
    case
        when tier = 'highly_engaged' then {{ counted('n_actions_30d', 'session or click', 'sessions and clicks') }} || ' in 30 days'
        when days_since_last_action <= {{ var('lightly_engaged_days') }}
            then 'Last session, order or click ' || {{ counted('days_since_last_action', 'day') }} || ' ago (' || {{ day_text('last_seen_at') }} || ')'
        when tier = 'lightly_engaged'
            then
                'No session, order or click in {{ var("lightly_engaged_days") }} days, last opened an e-mail '
                || {{ counted('days_since_last_open', 'day') }} || ' ago (' || {{ day_text('last_human_opened_at') }} || ')'
        when tier = 'unengaged' then {{ counted('n_emails_sent_90d', 'e-mail') }} || ' in 90 days and no session, order, click or open'
        else 'No session, order, click or open in {{ var("lightly_engaged_days") }} days, and too few e-mails to rate'
    end
    || case
        when is_fatigued
            then
                '; clicked ' || cast(n_human_clicks_30d as {{ dbt.type_string() }}) || ' of ' || {{ counted('n_emails_sent_30d', 'e-mail') }}
                || ' in 30 days, and ' || cast(n_clicks_before as {{ dbt.type_string() }}) || ' of '
                || cast(n_emails_before as {{ dbt.type_string() }}) || ' before'
        else ''
    end
    || case
        when coalesce(stated_weekly_cap < tier_weekly_cap, false) then '; asked for mail ' || preferred_frequency || ' at most'
        else ''
    end
    || '.' as sentence
from customer_caps
