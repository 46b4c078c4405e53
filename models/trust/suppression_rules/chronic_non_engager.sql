-- Orders, sessions and clicks count. An open, which may be a machine's, only delays the rule.
{% set ever = "cast('1900-01-01' as timestamp)" %}
with customers as (
    select
        *,
        greatest(
            coalesce(first_seen_at, {{ ever }}),
            coalesce({{ date_add('day', var('non_engager_days'), 'last_seen_at') }}, {{ ever }}),
            coalesce({{ date_add('day', var('non_engager_open_days'), 'last_human_opened_at') }}, {{ ever }}),
            coalesce({{ date_add('day', var('non_engager_days'), 'first_seen_at') }}, {{ ever }})
        ) as silent_since
    from {{ ref('customers') }}
)

select
    customer_id,
    'promotional' as scope,
    silent_since as since,
    cast(null as timestamp) as until,
    case
        when last_seen_at is null then 'Has never bought, visited or clicked'
        else 'Last bought, visited or clicked on ' || {{ day_text('last_seen_at') }}
    end
    || ', and was sent ' || {{ counted('n_emails_sent_90d', 'message') }} || ' in 90 days.' as reason
from customers
where silent_since <= {{ as_of() }} and n_emails_sent_90d >= {{ var('non_engager_emails_90d') }}
