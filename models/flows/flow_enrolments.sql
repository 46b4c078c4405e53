-- From the ledger alone. A build as of a past moment shows what was recorded by then.
with enrolments as (
    select
        enrolment_id,
        flow,
        customer_id,
        subject_id,
        subject_name,
        amount,
        triggered_at,
        max(case when change = 'entered' then changed_at end) as entered_at,
        max(case when change = 'entered' then reason end) as reason,
        max(case when change = 'exited' then changed_at end) as exited_at,
        max(case when change = 'exited' then exit end) as exit,
        max(case when change = 'exited' then reason end) as exit_reason
    from {{ ref('enrolment_changes') }}
    where changed_at <= {{ as_of() }}
    group by enrolment_id, flow, customer_id, subject_id, subject_name, amount, triggered_at
),

holdouts as (
    select distinct
        customer_id,
        decides
    from {{ ref('experiment_members') }}
    where is_held_out
),

marketing_flows as (
    select flow from {{ ref('flow_catalog') }} where message_class <> 'transactional'
)

select
    enrolments.enrolment_id,
    enrolments.flow,
    coalesce(retired.customer_id, enrolments.customer_id) as customer_id,
    enrolments.subject_id,
    enrolments.subject_name,
    enrolments.amount,
    enrolments.exited_at is null as is_open,
    -- By the id at the time of entering, or since a merge with a customer that is held out.
    holdouts_of_flow.customer_id is not null
    or (holdouts_of_all.customer_id is not null and marketing_flows.flow is not null)
    or case enrolments.flow
        {%- for flow in flow_entries() %}
        when '{{ flow.flow }}' then {{ is_in_share("'holdout:" ~ flow.flow ~ ":' || enrolments.customer_id", flow.holdout_share) }}
        {%- endfor %}
        else false
    end as is_held_out,
    enrolments.triggered_at,
    enrolments.entered_at,
    enrolments.exited_at,
    enrolments.exit,
    enrolments.reason,
    enrolments.exit_reason
from enrolments
left join {{ ref('retired_customer_ids') }} as retired on enrolments.customer_id = retired.retired_customer_id
left join marketing_flows on enrolments.flow = marketing_flows.flow
left join holdouts as holdouts_of_flow
    on
        coalesce(retired.customer_id, enrolments.customer_id) = holdouts_of_flow.customer_id
        and 'flow:' || enrolments.flow = holdouts_of_flow.decides
left join holdouts as holdouts_of_all
    on coalesce(retired.customer_id, enrolments.customer_id) = holdouts_of_all.customer_id and holdouts_of_all.decides = 'marketing'
