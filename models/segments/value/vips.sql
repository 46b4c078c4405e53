select
    stages.customer_id,
    'Spent ' || cast(customers.revenue_365d as {{ dbt.type_string() }}) || ' {{ var("currency") }} in 365 days after refunds, place '
    || cast(stages.revenue_place as {{ dbt.type_string() }}) || ' of ' || {{ counted('stages.n_ranked_buyers', 'buyer') }} || ' of that time.' as reason
from {{ ref('lifecycle_stages') }} as stages
inner join {{ ref('customers') }} as customers on stages.customer_id = customers.customer_id
where stages.is_vip
