-- Each mailbox provider by week and stream, beside its own weeks before and the other providers. A provider that falls while the
-- others do not is an alarm, even if the total looks fine.
with weeks as (
    select
        {{ dbt.date_trunc('week', 'kpi_on') }} as week_on,
        mailbox_provider,
        message_class,
        sum(n_sent) as n_sent,
        sum(n_delivered) as n_delivered,
        sum(n_bounced) as n_bounced,
        sum(n_hard_bounced) as n_hard_bounced,
        sum(n_blocked) as n_blocked,
        sum(n_complained) as n_complained,
        sum(n_unsubscribed) as n_unsubscribed,
        sum(n_clicked) as n_clicked
    from {{ ref('email_source_days') }}
    where kpi_on <= {{ as_of_day() }} and kpi_on > {{ days_before(as_of_day(), var('deliverability_days')) }}
    group by 1, 2, 3
),

-- The weeks before, of the provider and of all others.
earlier_weeks as (
    select
        weeks.week_on,
        weeks.mailbox_provider,
        weeks.message_class,
        sum(case when earlier.mailbox_provider = weeks.mailbox_provider and earlier.week_on < weeks.week_on then earlier.n_delivered end) as n_own_delivered,
        sum(case when earlier.mailbox_provider = weeks.mailbox_provider and earlier.week_on < weeks.week_on then earlier.n_clicked end) as n_own_clicked,
        sum(case when earlier.mailbox_provider = weeks.mailbox_provider and earlier.week_on < weeks.week_on then earlier.n_sent end) as n_own_sent,
        sum(case when earlier.mailbox_provider <> weeks.mailbox_provider and earlier.week_on = weeks.week_on then earlier.n_delivered end) as n_others_delivered,
        sum(case when earlier.mailbox_provider <> weeks.mailbox_provider and earlier.week_on = weeks.week_on then earlier.n_sent end) as n_others_sent
    from weeks
    inner join weeks as earlier
        on
            weeks.message_class = earlier.message_class
            and earlier.week_on <= weeks.week_on
            and earlier.week_on >= {{ date_add('day', -7 * var('deliverability_weeks'), 'weeks.week_on') }}
    group by weeks.week_on, weeks.mailbox_provider, weeks.message_class
),

shares as (
    select
        weeks.*,
        cast(weeks.n_delivered as {{ double_type() }}) / nullif(weeks.n_sent, 0) as delivered_share,
        cast(weeks.n_complained as {{ double_type() }}) / nullif(weeks.n_delivered, 0) as complaint_share,
        cast(weeks.n_clicked as {{ double_type() }}) / nullif(weeks.n_delivered, 0) as click_share,
        cast(earlier.n_own_delivered as {{ double_type() }}) / nullif(earlier.n_own_sent, 0) as earlier_delivered_share,
        cast(earlier.n_own_clicked as {{ double_type() }}) / nullif(earlier.n_own_delivered, 0) as earlier_click_share,
        cast(earlier.n_others_delivered as {{ double_type() }}) / nullif(earlier.n_others_sent, 0) as others_delivered_share
    from weeks
    left join earlier_weeks as earlier
        on
            weeks.week_on = earlier.week_on
            and weeks.mailbox_provider = earlier.mailbox_provider
            and weeks.message_class = earlier.message_class
),

-- More than chance explains, in standard errors of a share of this size.
judged_shares as (
    select
        *,
        n_sent >= {{ var('deliverability_min_messages') }}
        and earlier_delivered_share - delivered_share
        > {{ var('deliverability_errors') }} * sqrt(greatest(earlier_delivered_share * (1 - earlier_delivered_share), 0.0001) / n_sent) as has_delivery_drop,
        n_delivered >= {{ var('deliverability_min_messages') }}
        and earlier_click_share - click_share > {{ var('deliverability_errors') }} * sqrt(greatest(earlier_click_share * (1 - earlier_click_share), 0.0001) / n_delivered)
            as has_click_drop
    from shares
)

select
    cast(week_on as date) as week_on,
    mailbox_provider,
    message_class,
    cast(n_sent as bigint) as n_sent,
    cast(n_delivered as bigint) as n_delivered,
    cast(n_bounced as bigint) as n_bounced,
    cast(n_hard_bounced as bigint) as n_hard_bounced,
    cast(n_blocked as bigint) as n_blocked,
    cast(n_complained as bigint) as n_complained,
    cast(n_unsubscribed as bigint) as n_unsubscribed,
    cast(n_clicked as bigint) as n_clicked,
    delivered_share,
    complaint_share,
    click_share,
    earlier_delivered_share,
    earlier_click_share,
    others_delivered_share,
    coalesce(has_delivery_drop, false) as has_delivery_drop,
    coalesce(has_click_drop, false) as has_click_drop,
    case
        when coalesce(has_delivery_drop, false)
            then
                'Delivered ' || {{ tenths_text('delivered_share') }} || ', after ' || {{ tenths_text('earlier_delivered_share') }}
                || ' in the {{ var("deliverability_weeks") }} weeks before' || coalesce('. The other providers have ' || {{ tenths_text('others_delivered_share') }}, '') || '.'
        when coalesce(has_click_drop, false)
            then
                'Clicks fell from ' || {{ tenths_text('earlier_click_share') }} || ' of the delivered messages to '
                || {{ tenths_text('click_share') }} || '. They may lie in the spam folder.'
        when n_sent < {{ var('deliverability_min_messages') }} then 'Too few messages to tell.'
        else 'As in the {{ var("deliverability_weeks") }} weeks before.'
    end as sentence
from judged_shares
