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
)

select
    enrolments.enrolment_id,
    enrolments.flow,
    coalesce(retired.customer_id, enrolments.customer_id) as customer_id,
    enrolments.subject_id,
    enrolments.subject_name,
    enrolments.amount,
    enrolments.exited_at is null as is_open,
    -- By the id at the time of entering: a merge in between changes nothing.
    case enrolments.flow
        {%- for flow in flow_entries() %}
        when '{{ flow.flow }}' then {{ is_in_share("'holdout:" ~ flow.flow ~ ":' || enrolments.customer_id", flow.holdout_share) }}
        {%- endfor %}
        when '' then false
    end as is_held_out,
    enrolments.triggered_at,
    enrolments.entered_at,
    enrolments.exited_at,
    enrolments.exit,
    enrolments.reason,
    enrolments.exit_reason
from enrolments
left join {{ ref('retired_customer_ids') }} as retired on enrolments.customer_id = retired.retired_customer_id
