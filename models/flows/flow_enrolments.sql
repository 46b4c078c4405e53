-- From the ledger alone. A build as of a past moment shows what was recorded by then.
with changes as (
    select * from {{ ref('enrolment_changes') }}
    where changed_at <= {{ as_of() }}
),

enrolments as (
    select
        enrolment_id,
        flow,
        customer_id,
        subject_id,
        subject_name,
        triggered_at,
        max(case when change = 'entered' then changed_at end) as entered_at,
        max(case when change = 'entered' then reason end) as reason,
        max(case when change = 'exited' then changed_at end) as exited_at,
        max(case when change = 'exited' then reason end) as exit_reason
    from changes
    group by enrolment_id, flow, customer_id, subject_id, subject_name, triggered_at
)

select
    enrolments.enrolment_id,
    enrolments.flow,
    enrolments.customer_id,
    enrolments.subject_id,
    enrolments.subject_name,
    enrolments.exited_at is null as is_open,
    -- As assigned: a hash of customer and flow, so that a rebuild changes nothing.
    case enrolments.flow
        {%- for flow in flow_entries() %}
        when '{{ flow.flow }}' then {{ is_in_share("'holdout:" ~ flow.flow ~ ":' || enrolments.customer_id", flow.holdout_share) }}
        {%- endfor %}
        when '' then false
        else false
    end as is_held_out,
    enrolments.triggered_at,
    enrolments.entered_at,
    enrolments.exited_at,
    enrolments.reason,
    enrolments.exit_reason
from enrolments
