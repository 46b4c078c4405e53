-- Monthly: does a few buyers' revenue make the lift? Each experiment with and without the 1% of customers who spent the most.
with outcomes as (
    select
        experiment,
        arm,
        net_revenue,
        percent_rank() over (partition by experiment order by net_revenue) as place
    from {{ ref('experiment_outcomes') }}
),

means as (
    select
        outcomes.experiment,
        outcomes.arm,
        experiments.control,
        avg(outcomes.net_revenue) as revenue,
        avg(case when outcomes.place <= 0.99 then outcomes.net_revenue end) as revenue_without
    from outcomes
    inner join {{ ref('experiments') }} as experiments on outcomes.experiment = experiments.experiment
    group by outcomes.experiment, outcomes.arm, experiments.control
)

select
    arms.experiment,
    arms.arm,
    arms.revenue - controls.revenue as difference,
    arms.revenue_without - controls.revenue_without as difference_without,
    case
        when (arms.revenue - controls.revenue) * (arms.revenue_without - controls.revenue_without) < 0
            then 'The sign turns without the largest 1% of buyers: do not act on this lift.'
        else 'The sign stays without the largest 1% of buyers.'
    end as sentence
from means as arms
inner join means as controls on arms.experiment = controls.experiment and controls.arm = controls.control
where arms.arm <> arms.control
order by arms.experiment, arms.arm
