-- Append-only ledger: a row when an enrolment begins and one when it ends, with as_of() and the reason. Never changed.
-- Longer than 120 lines because entries and exits are decided together: an enrolment that would end at once does not begin.
-- depends_on: {{ ref('retired_customer_ids') }}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with flows as (
    select
        *,
        ', ' || coalesce(exits, '') || ',' as exit_list
    from {{ ref('flow_catalog') }}
),

-- The ledger names a customer as at that time.
recorded_enrolments as (
    {% if is_incremental() -%}
    select
        ledger.enrolment_id,
        ledger.flow,
        coalesce(max(retired.customer_id), ledger.customer_id) as customer_id,
        ledger.subject_id,
        ledger.subject_name,
        ledger.amount,
        ledger.triggered_at,
        max(case when ledger.change = 'exited' then 1 else 0 end) = 1 as has_exited,
        max(ledger.changed_at) as changed_at
    from {{ this }} as ledger
    left join {{ ref('retired_customer_ids') }} as retired on ledger.customer_id = retired.retired_customer_id
    group by
        ledger.enrolment_id, ledger.flow, ledger.customer_id, ledger.subject_id, ledger.subject_name, ledger.amount, ledger.triggered_at
    {%- else -%}
    select
        customer_id as enrolment_id,
        trigger_name as flow,
        customer_id,
        subject_id,
        subject_name,
        amount,
        happened_at as triggered_at,
        false as has_exited,
        happened_at as changed_at
    from {{ ref('trigger_events') }}
    where false
    {%- endif %}
),

last_record as (
    select max(changed_at) as last_recorded_at from recorded_enrolments
),

events as (
    select
        flows.flow,
        flows.reentry,
        flows.reentry_days,
        flows.paused_because,
        {{ date_add('hour', 'flows.entry_hours', 'events.happened_at') }} as enters_until,
        events.customer_id,
        events.subject_id,
        events.subject_name,
        events.amount,
        events.happened_at as triggered_at,
        events.reason,
        {{ dbt.hash(joined('/', [
            'flows.flow', 'events.customer_id', 'events.subject_id', 'cast(events.happened_at as ' ~ dbt.type_string() ~ ')'
        ])) }} as enrolment_id
    from {{ ref('trigger_events') }} as events
    inner join flows on events.trigger_name = flows.trigger_name
),

-- What a new event has to respect, by its flow's re-entry rule: any enrolment, one with its subject, one of the last days.
earlier_enrolments as (
    select
        events.enrolment_id,
        count(recorded.enrolment_id) as n_enrolments,
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
    select events.*
    from events
    inner join earlier_enrolments on events.enrolment_id = earlier_enrolments.enrolment_id
    where
        events.paused_because is null
        -- Too old for the first step: before the flow was made, or reported late.
        and events.enters_until >= {{ as_of() }}
        and earlier_enrolments.n_same = 0
        and case events.reentry
            when 'once' then earlier_enrolments.n_enrolments = 0
            when 'per_subject' then earlier_enrolments.n_of_subject = 0
            else earlier_enrolments.n_in_days = 0
        end
),

enrolments as (
    select
        enrolment_id,
        flow,
        customer_id,
        subject_id,
        subject_name,
        amount,
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
        amount,
        triggered_at,
        reason,
        false as is_open
    from new_events
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
        customer_products.last_ordered_at as subject_ordered_at,
        last_orders.ordered_at,
        refusals.reason as refusal,
        customers.last_ticket_at,
        customers.cart_filled_at,
        orders.last_refunded_at,
        flows.subject,
        flows.expires_on,
        flows.reentry,
        case
            when customers.customer_id is null then 'customer_gone'
            when flows.flow is null then 'flow_removed'
            when flows.expires_on < {{ as_of_day() }} then 'flow_expired'
            when flows.message_class <> 'transactional' and refusals.customer_id is not null then 'refused'
            when
                flows.exit_list like '%, subject_ordered,%'
                and {{ latest_at('customer_products.last_ordered_at') }} > enrolments.triggered_at
                then 'subject_ordered'
            when flows.exit_list like '%, ordered,%' and last_orders.ordered_at > enrolments.triggered_at then 'ordered'
            when flows.exit_list like '%, newer_subject,%' and newest_events.triggered_at > enrolments.triggered_at
                then 'newer_subject'
            when flows.exit_list like '%, cart_filled,%' and customers.cart_filled_at > enrolments.triggered_at then 'cart_filled'
            when flows.exit_list like '%, order_refunded,%' and orders.last_refunded_at > enrolments.triggered_at
                then 'order_refunded'
            when
                flows.exit_list like '%, ticket_opened,%'
                and customers.n_open_tickets > 0
                and customers.last_ticket_at > enrolments.triggered_at
                then 'ticket_opened'
            when flows.exit_list like '%, trigger_ended,%' and subjects.subject_id is null then 'trigger_ended'
            when finished_steps.n_steps >= flows.n_steps then 'finished'
        end as exit
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
    left join {{ ref('orders') }} as orders on flows.subject = 'order' and enrolments.subject_id = orders.order_id
    left join finished_steps on enrolments.enrolment_id = finished_steps.enrolment_id
),

-- Of the events that may enter the newest does, or the newest of each subject.
ranked_enrolments as (
    select
        *,
        row_number() over (
            partition by is_open, exit is null, flow, customer_id, case when reentry = 'per_subject' then subject_id end
            order by triggered_at desc, subject_id asc
        ) as place
    from enrolments_with_exit
)

select
    enrolment_id,
    flow,
    customer_id,
    subject_id,
    subject_name,
    amount,
    triggered_at,
    case when is_open then 'exited' else 'entered' end as change,
    exit,
    case
        when not is_open then reason
        else case exit
            when 'customer_gone' then 'No longer a customer: erased, or without a record.'
            when 'flow_removed' then 'The flow was removed.'
            when 'flow_expired' then 'The flow expired on ' || {{ day_text('expires_on') }} || '.'
            when 'refused' then refusal
            when 'subject_ordered' then 'Ordered ' || coalesce(subject_name, 'it') || ' on ' || {{ day_text('subject_ordered_at') }} || '.'
            when 'ordered' then 'Ordered on ' || {{ day_text('ordered_at') }} || '.'
            when 'newer_subject' then 'A newer ' || subject || ' took its place.'
            when 'cart_filled' then 'Filled the cart on ' || {{ day_text('cart_filled_at') }} || '.'
            when 'order_refunded' then 'The order was refunded on ' || {{ day_text('last_refunded_at') }} || '.'
            when 'ticket_opened' then 'Opened a support ticket on ' || {{ day_text('last_ticket_at') }} || '.'
            when 'trigger_ended' then 'No longer true: the ' || subject || ' has changed.'
            when 'finished' then 'All steps are done.'
        end
    end as reason,
    {{ as_of() }} as changed_at
from ranked_enrolments
cross join last_record
where
    is_open = (exit is not null)
    and (is_open or place = 1)
    -- Each moment is recorded once, so that a repeated build and one as of a past moment add nothing.
    and {{ as_of() }} > coalesce(last_record.last_recorded_at, cast('1900-01-01' as timestamp))
