-- When each customer came onto the list for marketing e-mail, by an opt-in, and left it, by an opt-out or because consent lapsed. A
-- customer with several addresses is on it while one has opted in and none has opted out, as in consents.
with events as (
    {% for effects in [ref('consent_event_effects'), ref('crowd_consent_events')] -%}
    select
        consent_event_id,
        customer_id,
        subject,
        is_yes,
        void_because,
        effective_at,
        expires_at
    from {{ effects }}
    where channel = 'email' and purpose = 'marketing_email' and effective_at <= {{ as_of() }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Of several at one moment the stricter one counts.
counted_events as (
    select
        *,
        lead(effective_at) over (
            partition by customer_id, subject order by effective_at, is_yes desc, consent_event_id
        ) as next_at
    from events
    where
        void_because is null
        or (is_yes and void_because = 'implied consent has lapsed')
        or (not is_yes and void_because in ('{{ for_another_address() }}', '{{ names_no_address() }}'))
),

states as (
    select
        customer_id,
        subject,
        case when is_yes then 1 else 0 end as is_in,
        case when is_yes then 0 else 1 end as is_out,
        effective_at,
        consent_event_id
    from counted_events
    union all
    select
        customer_id,
        subject,
        0 as is_in,
        0 as is_out,
        expires_at as effective_at,
        consent_event_id
    from counted_events
    where is_yes and expires_at <= {{ as_of() }} and coalesce(next_at > expires_at, true)
),

steps as (
    select
        *,
        is_in - coalesce(lag(is_in) over (partition by customer_id, subject order by effective_at, is_in desc, consent_event_id), 0) as more_in,
        is_out - coalesce(lag(is_out) over (partition by customer_id, subject order by effective_at, is_in desc, consent_event_id), 0) as more_out
    from states
),

-- At the end of each moment with a step.
sums as (
    select
        customer_id,
        effective_at,
        sum(sum(more_in)) over (partition by customer_id order by effective_at) as n_in,
        sum(sum(more_out)) over (partition by customer_id order by effective_at) as n_out
    from steps
    group by customer_id, effective_at
),

moments as (
    select
        customer_id,
        effective_at,
        n_in > 0 and n_out = 0 as is_on_list,
        coalesce(lag(n_in > 0 and n_out = 0) over (partition by customer_id order by effective_at), false) as was_on_list
    from sums
)

select
    customer_id,
    case when is_on_list then 'joined' else 'left' end as change,
    effective_at as changed_at
from moments
where is_on_list <> was_on_list
