-- No arm of a running experiment was renamed or removed: its customers would be in no arm.
with arms as (
    select
        experiment,
        arm
    from {{ literal_rows({'experiment': 'string', 'arm': 'string'}, experiment_arms()) }}
)

select
    assignments.experiment,
    assignments.arm,
    count(*) as n_customers
from {{ ref('experiment_assignments') }} as assignments
inner join {{ ref('experiments') }} as experiments on assignments.experiment = experiments.experiment
left join arms on assignments.experiment = arms.experiment and assignments.arm = arms.arm
where experiments.is_running and arms.arm is null
group by assignments.experiment, assignments.arm
