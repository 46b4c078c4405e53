-- Append-only ledger: one row per due step and build, with the first rule that decided it. Never changed.
-- Longer than 120 lines because the rules are one list in order, and each CTE before it gives a fact to one of them.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

{% set first_hour, last_hour = var('send_hours') %}
{% set local_day = 'cast(cast(ranked_steps.local_now as date) as timestamp)' %}
with steps_due as (
    select
        due.*,
        flows.message_class,
        flows.message_class = 'transactional' as is_transactional,
        flows.purpose,
        flows.priority,
        flows.is_abandon,
        flows.cap_messages,
        flows.cap_days,
        case
            {%- for step in flow_steps() if step.only_if %}
            when due.flow = '{{ step.flow }}' and due.step = '{{ step.step }}' then {{ step_condition(step.only_if, 'customers') }}
            {%- endfor %}
            when due.flow is null then false
            else true
        end as is_condition_met,
        case
            {%- for step in flow_steps() if step.only_if %}
            when due.flow = '{{ step.flow }}' and due.step = '{{ step.step }}' then 'Only for customers with {{ step_condition_text(step.only_if) }}.'
            {%- endfor %}
            when due.flow is null then ''
        end as condition_text,
        {{ customer_zone('customers.time_zone') }} as time_zone,
        {{ local_time(as_of(), customer_zone('customers.time_zone')) }} as local_now,
        {{ pause_reason() }} as pause_reason,
        customers.mailbox_provider,
        customers.n_human_clicks_30d,
        coalesce(tiers.tier, 'unknown') as tier,
        rooms.ceiling,
        rooms.n_left,
        coalesce(rooms.leaves_out_unengaged and tiers.tier = 'unengaged', false) as is_left_out,
        coalesce(contacts.is_allowed, false) as is_allowed,
        contacts.opens_at,
        coalesce(contacts.reason, 'No permission on record.') as contact_reason
    from {{ ref('flow_steps_due') }} as due
    inner join {{ ref('flow_catalog') }} as flows on due.flow = flows.flow
    inner join {{ ref('customers') }} as customers on due.customer_id = customers.customer_id
    left join {{ ref('engagement_tiers') }} as tiers on due.customer_id = tiers.customer_id
    {{- pause_joins('due.flow', 'customers.mailbox_provider', "coalesce(tiers.tier, 'unknown')") }}
    left join {{ ref('warm_up_room') }} as rooms on customers.mailbox_provider = rooms.mailbox_provider
    left join {{ ref('contactability') }} as contacts
        on
            due.customer_id = contacts.customer_id
            and flows.message_class = contacts.message_class
            and contacts.channel = 'email'
),

-- A cap below one a week is one message in as many days as it takes.
caps as (
    select
        customer_id,
        cast(greatest(floor(weekly_cap), 1) as bigint) as max_messages,
        cast(round(168 / least(weekly_cap, 1)) as integer) as window_hours
    from {{ ref('engagement_tiers') }}
    where weekly_cap > 0
),

messages as (
    select
        messages.customer_id,
        messages.sent_at,
        messages.is_abandon,
        messages.is_counted
        and messages.sent_at > {{ date_add('hour', '-caps.window_hours', as_of()) }} as is_in_window,
        caps.max_messages,
        {{ date_add('hour', 'caps.window_hours', 'messages.sent_at') }} as leaves_window_at
    from {{ ref('sent_messages') }} as messages
    left join caps on messages.customer_id = caps.customer_id
),

-- With a cap of 5 and 6 messages in the window, the second oldest has to leave it.
ranked_messages as (
    select
        *,
        row_number() over (partition by customer_id, is_in_window order by sent_at desc) as newest_first
    from messages
),

message_counts as (
    select
        customer_id,
        max(sent_at) as last_sent_at,
        max(case when is_abandon then sent_at end) as last_abandon_at,
        count(case when is_in_window then 1 end) as n_in_window,
        max(case when is_in_window and newest_first = max_messages then leaves_window_at end) as cap_opens_at
    from ranked_messages
    group by customer_id
),

-- As the weekly cap, for the messages of one flow.
flow_messages as (
    select
        decisions.customer_id,
        decisions.flow,
        flows.cap_messages,
        {{ date_add('hour', 'cast(24 * flows.cap_days as integer)', 'decisions.decided_at') }} as leaves_window_at,
        row_number() over (partition by decisions.customer_id, decisions.flow order by decisions.decided_at desc) as newest_first
    from {{ ref('past_decisions') }} as decisions
    inner join {{ ref('flow_catalog') }} as flows on decisions.flow = flows.flow
    where
        decisions.decision = 'send'
        and decisions.decided_at > {{ date_add('hour', 'cast(-24 * flows.cap_days as integer)', as_of()) }}
),

full_flows as (
    select
        customer_id,
        flow,
        leaves_window_at as opens_at
    from flow_messages
    where newest_first = cap_messages
),

-- The next step of a flow that goes first.
upcoming_steps as (
    select
        steps_due.enrolment_id,
        min(upcoming.due_at) as due_at
    from steps_due
    inner join steps_due as upcoming
        on steps_due.customer_id = upcoming.customer_id and steps_due.priority > upcoming.priority
    where
        steps_due.is_due
        and not upcoming.is_due
        and not upcoming.is_held_out
        and not upcoming.is_transactional
        and upcoming.due_at <= {{ date_add('hour', var('look_ahead_hours'), as_of()) }}
    group by steps_due.enrolment_id
),

ruled_steps as (
    select
        steps_due.*,
        case
            when steps_due.is_held_out then 'holdout'
            when steps_due.expires_at < {{ as_of() }} then 'too_late'
            when not steps_due.is_allowed then 'not_allowed'
            when not steps_due.is_condition_met then 'condition'
            when steps_due.is_transactional then null
            when steps_due.pause_reason is not null then 'paused'
            when steps_due.is_left_out then 'warm_up'
            when extract(hour from steps_due.local_now) < {{ first_hour }} or extract(hour from steps_due.local_now) >= {{ last_hour }}
                then 'quiet_hours'
            when
                steps_due.is_abandon
                and message_counts.last_abandon_at > {{ date_add('hour', -var('abandon_rest_hours'), as_of()) }}
                then 'abandon_rest'
            when message_counts.last_sent_at > {{ date_add('hour', -var('message_gap_hours'), as_of()) }} then 'message_gap'
            when caps.customer_id is null then 'no_cap'
            when message_counts.n_in_window >= caps.max_messages then 'weekly_cap'
            when full_flows.flow is not null then 'flow_cap'
            when upcoming_steps.due_at is not null then 'goes_first'
        end as rule,
        message_counts.last_sent_at,
        message_counts.last_abandon_at,
        message_counts.n_in_window,
        message_counts.cap_opens_at,
        full_flows.opens_at as flow_opens_at,
        upcoming_steps.due_at as upcoming_at
    from steps_due
    left join message_counts on steps_due.customer_id = message_counts.customer_id
    left join caps on steps_due.customer_id = caps.customer_id
    left join full_flows on steps_due.customer_id = full_flows.customer_id and steps_due.flow = full_flows.flow
    left join upcoming_steps on steps_due.enrolment_id = upcoming_steps.enrolment_id
    where steps_due.is_due
),

-- One marketing message per customer and build: the lowest priority, then the highest amount, then the oldest.
ranked_steps as (
    select
        *,
        case
            when rule is null and not is_transactional
                then
                    row_number() over (
                        partition by customer_id, rule is null and not is_transactional
                        order by priority asc, coalesce(amount, 0) desc, due_at asc, enrolment_id asc
                    )
        end as place
    from ruled_steps
),

winners as (
    select
        customer_id,
        flow as winner
    from ranked_steps
    where place = 1
),

-- While the sender warms up, the most engaged customers of a provider go first.
queued_steps as (
    select
        *,
        case
            when place = 1 and n_left is not null
                then
                    row_number() over (
                        partition by mailbox_provider, place = 1
                        order by
                            case tier {%- for tier in var('weekly_caps') %} when '{{ tier }}' then {{ loop.index }}{% endfor %} else 9 end,
                            n_human_clicks_30d desc, priority, enrolment_id
                    )
        end as place_in_queue
    from ranked_steps
),

timed_steps as (
    select
        ranked_steps.*,
        case
            when ranked_steps.rule is not null then ranked_steps.rule
            when ranked_steps.place > 1 then 'lost'
            when ranked_steps.place_in_queue > ranked_steps.n_left then 'warm_up'
        end as deciding_rule,
        case when ranked_steps.place > 1 then winners.winner end as lost_to,
        case
            when ranked_steps.rule = 'not_allowed' then ranked_steps.opens_at
            -- Until a person lifts it, or the message is too late.
            when ranked_steps.rule = 'paused' then ranked_steps.expires_at
            when ranked_steps.rule = 'warm_up' or ranked_steps.place_in_queue > ranked_steps.n_left then {{ day_begins(date_add('day', 1, as_of_day())) }}
            when ranked_steps.rule = 'quiet_hours'
                then {{ utc_time(
                    'case when extract(hour from ranked_steps.local_now) < ' ~ first_hour
                    ~ ' then ' ~ date_add('hour', first_hour, local_day) ~ ' else ' ~ date_add('hour', first_hour + 24, local_day) ~ ' end',
                    'ranked_steps.time_zone'
                ) }}
            when ranked_steps.rule = 'abandon_rest' then {{ date_add('hour', var('abandon_rest_hours'), 'ranked_steps.last_abandon_at') }}
            when ranked_steps.rule = 'message_gap' then {{ date_add('hour', var('message_gap_hours'), 'ranked_steps.last_sent_at') }}
            when ranked_steps.rule = 'weekly_cap' then ranked_steps.cap_opens_at
            when ranked_steps.rule = 'flow_cap' then ranked_steps.flow_opens_at
            -- The other step may not go out after all, so this one is not dropped before its time.
            when ranked_steps.rule = 'goes_first' then least(ranked_steps.upcoming_at, ranked_steps.expires_at)
            when ranked_steps.place > 1 then {{ date_add('hour', var('message_gap_hours'), as_of()) }}
        end as opens_again_at
    from queued_steps as ranked_steps
    left join winners on ranked_steps.customer_id = winners.customer_id
),

offers as (
    select * from {{ ref('offer_levels') }} where offer_share > 0
),

decided_steps as (
    select
        *,
        case
            when deciding_rule is null then 'send'
            when opens_again_at <= expires_at then 'wait'
            else 'drop'
        end as decision
    from timed_steps
)

select
    {{ dbt.hash(joined('/', ['decided_steps.enrolment_id', 'decided_steps.step', 'cast(' ~ as_of() ~ ' as ' ~ dbt.type_string() ~ ')'])) }}
        as decision_id,
    decided_steps.enrolment_id,
    decided_steps.flow,
    decided_steps.step,
    cast(decided_steps.step_number as bigint) as step_number,
    decided_steps.customer_id,
    decided_steps.subject_id,
    decided_steps.slot,
    decided_steps.message_class,
    decided_steps.purpose,
    decided_steps.is_abandon,
    decided_steps.decision,
    coalesce(decided_steps.deciding_rule, 'sent') as rule,
    decided_steps.lost_to,
    case when decided_steps.decision = 'wait' then decided_steps.opens_again_at end as wait_until,
    decided_steps.due_at,
    decided_steps.expires_at,
    offers.offer_share,
    offers.offer_cost,
    case
        when decided_steps.decision = 'send' then decided_steps.reason
        else case decided_steps.deciding_rule
            when 'holdout' then 'Held out to measure the flow.'
            when 'too_late' then 'Too late: it was due on ' || {{ day_text('decided_steps.due_at') }} || '.'
            when 'not_allowed' then decided_steps.contact_reason
            when 'condition' then decided_steps.condition_text
            when 'paused' then 'Paused: ' || decided_steps.pause_reason
            when 'warm_up'
                then
                    'Warm-up of the sender: '
                    || case
                        when decided_steps.is_left_out then 'customers without a response get no mail yet.'
                        else {{ counted('decided_steps.ceiling', 'message') }} || ' a day for ' || decided_steps.mailbox_provider
                        || ', and the most engaged customers go first.'
                    end
            when 'quiet_hours'
                then 'Quiet hours: it is ' || {{ hour_text('cast(extract(hour from decided_steps.local_now) as bigint)') }} || ' for the customer.'
            when 'abandon_rest'
                then
                    'An abandonment message went out on ' || {{ day_text('decided_steps.last_abandon_at') }}
                    || ', less than {{ var("abandon_rest_hours") }} hours ago.'
            when 'message_gap'
                then
                    'A marketing message went out on ' || {{ day_text('decided_steps.last_sent_at') }}
                    || ', less than {{ var("message_gap_hours") }} hours ago.'
            when 'no_cap' then 'The customer has no weekly cap.'
            when 'weekly_cap' then 'At the weekly cap: ' || {{ counted('decided_steps.n_in_window', 'marketing message') }} || ' already.'
            when 'flow_cap'
                then
                    'At the cap of the flow: ' || {{ counted('decided_steps.cap_messages', 'message') }} || ' in '
                    || {{ counted('decided_steps.cap_days', 'day') }} || '.'
            when 'goes_first' then 'Waits for a message of a flow that goes first.'
            when 'lost' then 'Another flow went first: ' || decided_steps.lost_to || '.'
        end
    end as reason,
    {{ as_of() }} as decided_at
from decided_steps
left join offers
    on decided_steps.customer_id = offers.customer_id and decided_steps.has_offer and decided_steps.decision = 'send'
{%- if is_incremental() %}
-- Each moment is recorded once, so that a repeated build and one as of a past moment add nothing.
where {{ as_of() }} > coalesce((select max(decided_at) from {{ this }}), cast('1900-01-01' as timestamp))
{%- endif %}
