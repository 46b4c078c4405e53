-- How many customers each arm should have, by the shares at which they were assigned, beside how many it has. Merges into two arms and
-- people who left are counted, so that a reader sees what the results leave out.
with members as (
    select * from {{ ref('experiment_members') }}
),

shares as (
    select * from {{ literal_rows({'experiment': 'string', 'arm': 'string', 'stage_on': 'string', 'share': 'double'}, experiment_arms() + experiment_flow_arms()) }}
),

newest_shares as (
    select
        experiment,
        arm,
        share,
        rank() over (partition by experiment order by stage_on desc) as place_of_stage
    from shares
    where experiment is not null and coalesce(cast(stage_on as date) <= {{ as_of_day() }}, true)
)

select
    shares.experiment,
    shares.arm,
    shares.share,
    cast(count(case when customers.customer_id is not null and not members.is_conflict then 1 end) as bigint) as n_customers,
    cast(count(case when members.is_conflict then 1 end) as bigint) as n_conflicts,
    cast(count(case when members.customer_id is not null and customers.customer_id is null then 1 end) as bigint) as n_gone,
    min(members.since_at) as since_at
from newest_shares as shares
left join members on shares.experiment = members.experiment and shares.arm = members.arm
left join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id
where shares.place_of_stage = 1
group by shares.experiment, shares.arm, shares.share
