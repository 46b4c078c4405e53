-- Monthly: what share of the last year's revenue and of the customers does each stage and segment have?
with totals as (
    select
        cast(count(*) as {{ double_type() }}) as n_customers,
        cast(sum(revenue_365d) as {{ double_type() }}) as revenue_365d
    from {{ ref('customers') }}
),

segments as (
    select
        catalog.kind,
        memberships.segment,
        count(*) as n_customers,
        sum(customers.revenue_365d) as revenue_365d,
        count(case when contactability.is_allowed then 1 end) as n_may_be_promoted_to
    from {{ ref('segment_memberships') }} as memberships
    inner join {{ ref('segment_catalog') }} as catalog on memberships.segment = catalog.segment
    inner join {{ ref('customers') }} as customers on memberships.customer_id = customers.customer_id
    left join {{ ref('contactability') }} as contactability
        on memberships.customer_id = contactability.customer_id and contactability.message_class = 'promotional'
    group by catalog.kind, memberships.segment
)

select
    segments.kind,
    segments.segment,
    segments.n_customers,
    segments.n_customers / totals.n_customers as customer_share,
    segments.revenue_365d,
    cast(segments.revenue_365d as {{ double_type() }}) / nullif(totals.revenue_365d, 0) as revenue_share,
    segments.n_may_be_promoted_to
from segments
cross join totals
order by segments.kind, segments.revenue_365d desc, segments.segment
