-- Append-only ledger: who was put into which arm, when. Never changed. A customer who is in an arm stays in it, except that a stage with
-- larger shares moves customers out of the last arm, which is the rest.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

{% set entries = experiment_entries() | rejectattr('is_of_flow') | list %}
with all_arms as (
    select * from {{ literal_rows({
        'experiment': 'string', 'salt': 'string', 'stage_on': 'string', 'arm': 'string', 'is_rest': 'boolean', 'low': 'string', 'high': 'string'
    }, experiment_arms()) }}
),

arms as (
    select
        all_arms.experiment,
        all_arms.salt,
        cast(all_arms.arm as {{ dbt.type_string() }}) as arm,
        cast(all_arms.is_rest as boolean) as is_rest,
        all_arms.low,
        all_arms.high,
        cast(all_arms.stage_on as date) as stage_on,
        rank() over (partition by all_arms.experiment order by all_arms.stage_on desc) as place_of_stage
    from all_arms
    inner join {{ ref('experiments') }} as experiments on all_arms.experiment = experiments.experiment
    where experiments.is_running and cast(all_arms.stage_on as date) <= {{ as_of_day() }}
),

populations as (
    {% for entry in entries -%}
    select
        '{{ entry.experiment }}' as experiment,
        customer_id
    {% if entry.population == 'everyone' -%}
    from {{ ref('customers') }}
    {%- elif entry.population == 'contactable' -%}
    from {{ ref('contactability') }}
    where channel = 'email' and message_class = 'promotional' and is_allowed
    {%- else -%}
    from {{ ref('segment_memberships') }}
    where segment = '{{ entry.population }}'
    {%- endif %}
    union all
    {% endfor -%}
    select
        customer_id as experiment,
        customer_id
    from {{ ref('customers') }}
    where false
),

-- The ledger names a customer as at that time.
earlier_assignments as (
    {% if is_incremental() -%}
    select
        ledger.experiment,
        coalesce(retired.customer_id, ledger.customer_id) as customer_id,
        min(case when ledger.is_rest then 1 else 0 end) = 1 as is_only_in_rest,
        max(ledger.stage_on) as stage_on
    from {{ this }} as ledger
    left join {{ ref('retired_customer_ids') }} as retired on ledger.customer_id = retired.retired_customer_id
    group by ledger.experiment, coalesce(retired.customer_id, ledger.customer_id)
    {%- else -%}
    -- depends_on: {{ ref('retired_customer_ids') }}
    select
        experiment,
        experiment as customer_id,
        true as is_only_in_rest,
        starts_on as stage_on
    from {{ ref('experiments') }}
    where false
    {%- endif %}
),

candidates as (
    select
        populations.experiment,
        populations.customer_id,
        arms.arm,
        arms.is_rest,
        arms.stage_on
    from populations
    inner join arms
        on
            populations.experiment = arms.experiment
            and arms.place_of_stage = 1
            and substr({{ dbt.hash("arms.salt || ':' || populations.customer_id") }}, 1, 8) >= arms.low
            and substr({{ dbt.hash("arms.salt || ':' || populations.customer_id") }}, 1, 8) < arms.high
)

select
    candidates.experiment,
    candidates.customer_id,
    candidates.arm,
    candidates.is_rest,
    candidates.stage_on,
    coalesce(stages.stage, 'unknown') as lifecycle_stage,
    coalesce(value_scores.band, 'unknown') as value_band,
    {{ as_of() }} as assigned_at
from candidates
left join earlier_assignments as earlier
    on candidates.experiment = earlier.experiment and candidates.customer_id = earlier.customer_id
left join {{ ref('lifecycle_stages') }} as stages on candidates.customer_id = stages.customer_id
left join {{ ref('value_scores') }} as value_scores on candidates.customer_id = value_scores.customer_id
where
    earlier.customer_id is null
    or (earlier.is_only_in_rest and not candidates.is_rest and earlier.stage_on < candidates.stage_on)
