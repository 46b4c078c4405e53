-- Entering needs a higher rank by revenue than staying. The band is at least one rank, so that two customers who swap ranks
-- both stay.
select
    stages.customer_id,
    stages.is_vip as may_enter,
    'Spent ' || cast(customers.revenue_365d as {{ dbt.type_string() }}) || ' {{ var("currency") }} in 365 days after refunds, rank '
    || cast(stages.revenue_place as {{ dbt.type_string() }}) || ' of ' || {{ counted('stages.n_ranked_buyers', 'buyer') }} || '.' as reason
from {{ ref('lifecycle_stages') }} as stages
inner join {{ ref('customers') }} as customers on stages.customer_id = customers.customer_id
where
    stages.revenue_place - 1
    < {{ var('vip_share') }} * stages.n_ranked_buyers + greatest(1, {{ var('vip_band_share') }} * stages.n_ranked_buyers)
