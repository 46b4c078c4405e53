-- No recommended weekly cap exceeds the frequency that the customer asked for.
select
    tiers.customer_id,
    tiers.weekly_cap,
    customers.preferred_frequency
from {{ ref('engagement_tiers') }} as tiers
inner join {{ ref('customers') }} as customers on tiers.customer_id = customers.customer_id
where
    tiers.weekly_cap is null
    {%- for frequency, cap in var('stated_weekly_caps').items() %}
    or (customers.preferred_frequency = '{{ frequency }}' and tiers.weekly_cap > {{ cap }})
    {%- endfor %}
