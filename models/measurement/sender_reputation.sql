-- What mailbox providers themselves report about the sender, by day: Google by domain and by Feedback-ID, Microsoft by address, and the
-- receivers of DMARC reports. Their shares have other bases than the ESP's, so neither replaces the other.
{%- set days = days_before(as_of_day(), var('deliverability_days')) %}
{%- set limits = var('sending_limits') %}
with domain_stats as (
    select
        stat_on as reported_on,
        'google' as reporter,
        case
            when metric <> 'FEEDBACK_LOOP_SPAM_RATE' then 'domain'
            when label like 'flow-%' then 'flow'
            when label like 'tier-%' then 'tier'
            when label like 'slot-%' then 'slot'
            else 'feedback_id'
        end as unit,
        case
            when metric <> 'FEEDBACK_LOOP_SPAM_RATE' then domain
            when substr(label, 1, 5) in ('flow-', 'tier-', 'slot-') then substr(label, 6)
            else coalesce(label, 'unknown')
        end as unit_name,
        case metric
            when 'AUTH_SUCCESS_RATE' then 'authenticated' || coalesce(' by ' || lower(label), '')
            when 'TLS_ENCRYPTION_RATE' then 'encrypted' || coalesce(' ' || lower(label), '')
            when 'DELIVERY_ERROR_RATE' then 'refused' || coalesce(': ' || replace(lower(label), '_', ' '), '')
            else 'reported as spam'
        end as measure,
        cast(value as {{ double_type() }}) as share,
        cast(null as bigint) as n_messages,
        -- Whether the reporter itself calls it bad or doubtful.
        false as is_bad,
        false as is_doubtful
    from {{ ref('stg_deliverability__domain_stats') }}
    where
        stat_on > {{ days }}
        and stat_on <= {{ as_of_day() }}
        and metric in ('SPAM_RATE', 'FEEDBACK_LOOP_SPAM_RATE', 'AUTH_SUCCESS_RATE', 'TLS_ENCRYPTION_RATE', 'DELIVERY_ERROR_RATE')
),

ip_stats as (
    select
        stat_on as reported_on,
        'microsoft' as reporter,
        'address' as unit,
        ip as unit_name,
        'reported as spam' as measure,
        cast(complaint_share as {{ double_type() }}) as share,
        cast(n_recipients as bigint) as n_messages,
        coalesce(filter_result = 'red', false) as is_bad,
        coalesce(filter_result not in ('green', 'red'), false) or coalesce(n_trap_hits > 0, false) as is_doubtful
    from {{ ref('stg_deliverability__ip_stats') }}
    where stat_on > {{ days }} and stat_on <= {{ as_of_day() }}
),

-- Mail in the domain's name that neither DKIM nor SPF ties to it: a system that was not set up, or a forger.
dmarc_days as (
    select
        {{ day_of('begins_at') }} as reported_on,
        'dmarc' as reporter,
        'address' as unit,
        domain || ' from ' || source_ip as unit_name,
        'aligned' as measure,
        cast(sum(case when is_dkim_aligned or is_spf_aligned then n_messages else 0 end) as {{ double_type() }}) / nullif(sum(n_messages), 0) as share,
        cast(sum(n_messages) as bigint) as n_messages,
        false as is_bad,
        false as is_doubtful
    from {{ ref('stg_deliverability__dmarc_reports') }}
    where {{ day_of('begins_at') }} > {{ days }} and {{ day_of('begins_at') }} <= {{ as_of_day() }}
    group by 1, 2, 3, 4
),

reports as (
    select * from domain_stats
    union all
    select * from ip_stats
    union all
    select * from dmarc_days
),

states as (
    select
        *,
        case
            {%- for test, limit in [("measure = 'reported as spam'", limits.complained), ("measure like 'refused%'", limits.blocked)] %}
            when is_bad or ({{ test }} and share >= {{ limit.pause }}) then 'bad'
            when is_doubtful or ({{ test }} and share >= {{ limit.warn }}) then 'warn'
            {%- endfor %}
            when measure not like 'refused%' and measure <> 'reported as spam' and share < {{ var('authenticated_min_share') }} then 'warn'
            else 'fine'
        end as state
    from reports
),

-- A source may hold a day twice.
ranked_reports as (
    select
        *,
        row_number() over (
            partition by reported_on, reporter, unit, unit_name, measure
            order by case state when 'bad' then 1 when 'warn' then 2 else 3 end, share desc
        ) as place
    from states
)

select
    reported_on,
    reporter,
    unit,
    unit_name,
    measure,
    share,
    n_messages,
    state,
    {{ hundredths_text('100 * share') }} || '% of the mail of ' || unit || ' ' || unit_name || ' was ' || measure || '.' as sentence
from ranked_reports
where place = 1
