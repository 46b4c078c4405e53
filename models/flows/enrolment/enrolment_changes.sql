-- Append-only ledger: a row when an enrolment begins and one when it ends, with as_of() and the reason. Never changed.
-- Longer than 120 lines because entries and exits are decided together: what would end at once does not begin.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with flows as (
    select * from {{ ref('flow_catalog') }}
),

recorded_enrolments as (
    select
        enrolment_id,
        flow,
        customer_id,
        subject_id,
        subject_name,
        triggered_at,
        max(case when change = 'exited' then 1 else 0 end) = 1 as has_exited,
        max(changed_at) as changed_at
    {% if is_incremental() -%}
    from {{ this }}
    {%- else -%}
    from (
        select
            customer_id as enrolment_id,
            trigger_name as flow,
            customer_id,
            subject_id,
            subject_name,
            happened_at as triggered_at,
            'entered' as change,
            happened_at as changed_at
        from {{ ref('trigger_events') }}
        where false
    ) as nothing_recorded
    {%- endif %}
    group by enrolment_id, flow, customer_id, subject_id, subject_name, triggered_at
),

last_record as (
    select max(changed_at) as last_recorded_at from recorded_enrolments
),

events as (
    select
        flows.flow,
        flows.reentry,
        flows.reentry_days,
        events.customer_id,
        events.subject_id,
        events.subject_name,
        events.happened_at as triggered_at,
        events.reason,
        events.why_unfit,
        {{ dbt.hash(joined('/', [
            'flows.flow', 'events.customer_id', 'events.subject_id', 'cast(events.happened_at as ' ~ dbt.type_string() ~ ')'
        ])) }} as enrolment_id
    from {{ ref('trigger_events') }} as events
    inner join flows on events.trigger_name = flows.trigger_name
    where flows.expires_on >= {{ as_of_day() }}
),

-- What a new event has to respect, depending on its flow: any enrolment, one with its subject, one of the last days.
events_with_history as (
    select
        events.enrolment_id,
        count(recorded.enrolment_id) as n_before,
        count(case when recorded.enrolment_id = events.enrolment_id then 1 end) as n_same,
        count(case when recorded.subject_id = events.subject_id then 1 end) as n_of_subject,
        count(case
            when recorded.triggered_at > {{ date_add('day', '-coalesce(events.reentry_days, 0)', 'events.triggered_at') }} then 1
        end) as n_in_days
    from events
    left join recorded_enrolments as recorded on events.flow = recorded.flow and events.customer_id = recorded.customer_id
    group by events.enrolment_id
),

new_events as (
    select
        events.*,
        row_number() over (
            partition by events.flow, events.customer_id, case when events.reentry = 'per_subject' then events.subject_id end
            order by events.triggered_at desc, events.subject_id asc
        ) as place
    from events
    inner join events_with_history as history on events.enrolment_id = history.enrolment_id
    where
        events.why_unfit is null
        and history.n_same = 0
        and case events.reentry
            when 'once' then history.n_before = 0
            when 'per_subject' then history.n_of_subject = 0
            else history.n_in_days = 0
        end
),

enrolments as (
    select
        enrolment_id,
        flow,
        customer_id,
        subject_id,
        subject_name,
        triggered_at,
        cast(null as {{ dbt.type_string() }}) as reason,
        true as is_open
    from recorded_enrolments
    where not has_exited
    union all
    select
        enrolment_id,
        flow,
        customer_id,
        subject_id,
        subject_name,
        triggered_at,
        reason,
        false as is_open
    from new_events
    where place = 1
),

newest_events as (
    select
        flow,
        customer_id,
        max(triggered_at) as triggered_at
    from events
    group by flow, customer_id
),

subjects as (
    select distinct
        flow,
        customer_id,
        subject_id
    from events
),

last_orders as (
    select
        customer_id,
        max({{ latest_at('ordered_at') }}) as ordered_at
    from {{ ref('orders') }}
    where is_sale
    group by customer_id
),

refusals as (
    select
        customer_id,
        min(reason) as reason
    from {{ ref('suppressions') }}
    where rule in ('unsubscribed', '{{ var("suppressed_at_esp") | join("', '") }}')
    group by customer_id
),

finished_steps as (
    select
        enrolment_id,
        count(distinct step) as n_steps
    from {{ ref('past_decisions') }}
    where decision in ('send', 'drop')
    group by enrolment_id
),

enrolments_with_exit as (
    select
        enrolments.*,
        case
            when customers.customer_id is null then 'No longer a customer: merged into another one, or erased.'
            when flows.flow is null then 'The flow was removed.'
            when flows.expires_on < {{ as_of_day() }} then 'The flow expired on ' || {{ day_text('flows.expires_on') }} || '.'
            when flows.message_class <> 'transactional' and refusals.customer_id is not null then refusals.reason
            when flows.exits like '%subject_ordered%' and {{ latest_at('customer_products.last_ordered_at') }} > enrolments.triggered_at
                then 'Ordered ' || coalesce(enrolments.subject_name, 'it') || ' on ' || {{ day_text('customer_products.last_ordered_at') }} || '.'
            when
                (flows.exits = 'ordered' or flows.exits like 'ordered,%' or flows.exits like '%, ordered%')
                and last_orders.ordered_at > enrolments.triggered_at
                then 'Ordered on ' || {{ day_text('last_orders.ordered_at') }} || '.'
            when flows.exits like '%newer_subject%' and newest_events.triggered_at > enrolments.triggered_at
                then 'A newer ' || flows.subject || ' took its place.'
            when
                flows.exits like '%ticket_opened%'
                and customers.n_open_tickets > 0
                and customers.last_ticket_at > enrolments.triggered_at
                then 'Opened a support ticket on ' || {{ day_text('customers.last_ticket_at') }} || '.'
            when flows.exits like '%trigger_ended%' and subjects.subject_id is null
                then 'No longer true: the ' || flows.subject || ' has changed.'
            when finished_steps.n_steps >= flows.n_steps then 'All steps are done.'
        end as exit_reason
    from enrolments
    left join flows on enrolments.flow = flows.flow
    left join {{ ref('customers') }} as customers on enrolments.customer_id = customers.customer_id
    left join refusals on enrolments.customer_id = refusals.customer_id
    left join last_orders on enrolments.customer_id = last_orders.customer_id
    left join newest_events on enrolments.flow = newest_events.flow and enrolments.customer_id = newest_events.customer_id
    left join subjects
        on
            enrolments.flow = subjects.flow
            and enrolments.customer_id = subjects.customer_id
            and enrolments.subject_id = subjects.subject_id
    left join {{ ref('customer_products') }} as customer_products
        on
            flows.subject = 'product'
            and enrolments.customer_id = customer_products.customer_id
            and enrolments.subject_id = customer_products.product_id
    left join finished_steps on enrolments.enrolment_id = finished_steps.enrolment_id
)

select
    enrolment_id,
    flow,
    customer_id,
    subject_id,
    subject_name,
    triggered_at,
    case when is_open then 'exited' else 'entered' end as change,
    coalesce(exit_reason, reason) as reason,
    {{ as_of() }} as changed_at
from enrolments_with_exit
cross join last_record
where
    is_open = (exit_reason is not null)
    -- A build as of a past moment reads the ledger and adds nothing.
    and {{ as_of() }} >= coalesce(last_recorded_at, {{ as_of() }})
