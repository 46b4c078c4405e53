-- The arm of each customer today. Of a customer that was merged from two in different arms, the one that is held out counts, or else the
-- arm of the first assignment, and the customer is in no result.
{% set ledger = relation_of('enrolment_changes') if execute %}
{% set enrolments = load_relation(ledger) if ledger %}
{% set flows = flow_entries() if execute else [] %}
-- A stage begins with the first build in it. From then on the arms are compared: what the rest did before would count for one arm only.
with stages as (
    select
        experiment,
        stage_on,
        min(assigned_at) as began_at,
        row_number() over (partition by experiment order by stage_on desc) as newest_first
    from {{ ref('experiment_assignments') }}
    where assigned_at <= {{ as_of() }}
    group by experiment, stage_on
),

assignments as (
    select
        ledger.experiment,
        ledger.customer_id as assigned_id,
        coalesce(retired.customer_id, ledger.customer_id) as customer_id,
        ledger.arm,
        ledger.lifecycle_stage,
        ledger.value_band,
        greatest(ledger.assigned_at, stages.began_at) as since_at,
        row_number() over (partition by ledger.experiment, ledger.customer_id order by ledger.assigned_at desc) as newest_first
    from {{ ref('experiment_assignments') }} as ledger
    inner join stages on ledger.experiment = stages.experiment and stages.newest_first = 1
    left join {{ ref('retired_customer_ids') }} as retired on ledger.customer_id = retired.retired_customer_id
    where ledger.assigned_at <= {{ as_of() }}
),

-- Flows stand above this floor, so their ledger is read without an edge in the graph: as of the last build.
{%- if enrolments and flows %}
enrolments as (
    select
        'flow:' || ledger.flow as experiment,
        ledger.customer_id as assigned_id,
        coalesce(retired.customer_id, ledger.customer_id) as customer_id,
        case
            when
                case ledger.flow
                    {%- for flow in flows %}
                    when '{{ flow.flow }}' then {{ is_in_share("'holdout:" ~ flow.flow ~ ":' || ledger.customer_id", flow.holdout_share) }}
                    {%- endfor %}
                end
                then 'held_out'
            else 'mailed'
        end as arm,
        ledger.changed_at as assigned_at,
        row_number() over (partition by ledger.flow, ledger.customer_id order by ledger.changed_at asc, ledger.enrolment_id asc) as place
    from {{ enrolments }} as ledger
    left join {{ ref('retired_customer_ids') }} as retired on ledger.customer_id = retired.retired_customer_id
    -- Enrolments of this build come later in it, and a repeated build must give the same.
    where ledger.change = 'entered' and ledger.changed_at < {{ as_of() }}
),
{%- endif %}

all_assignments as (
    select
        experiment,
        customer_id,
        arm,
        lifecycle_stage,
        value_band,
        since_at
    from assignments
    where newest_first = 1
    {%- if enrolments and flows %}
    union all
    select
        enrolments.experiment,
        enrolments.customer_id,
        enrolments.arm,
        -- Those of today may be an effect of the flow.
        cast(null as {{ dbt.type_string() }}) as lifecycle_stage,
        cast(null as {{ dbt.type_string() }}) as value_band,
        enrolments.assigned_at as since_at
    from enrolments
    where enrolments.place = 1
    {%- endif %}
),

ranked_assignments as (
    select
        all_assignments.*,
        experiments.holdout_arm,
        experiments.is_running,
        experiments.decides,
        min(all_assignments.arm) over (partition by all_assignments.experiment, all_assignments.customer_id)
        <> max(all_assignments.arm) over (partition by all_assignments.experiment, all_assignments.customer_id) as is_conflict,
        row_number() over (
            partition by all_assignments.experiment, all_assignments.customer_id
            order by
                case when all_assignments.arm = experiments.holdout_arm then 0 else 1 end asc,
                all_assignments.since_at asc,
                all_assignments.arm asc
        ) as place
    from all_assignments
    inner join {{ ref('experiments') }} as experiments on all_assignments.experiment = experiments.experiment
)

select
    experiment,
    customer_id,
    arm,
    lifecycle_stage,
    value_band,
    since_at,
    is_conflict,
    decides,
    is_running,
    is_running and coalesce(arm = holdout_arm, false) as is_held_out
from ranked_assignments
where place = 1
