with customers as (
    select * from {{ ref('base_shop__customers') }} where reject_reason is null
)

select
    customers.customer_id as shop_customer_id,
    customers.email,
    customers.phone,
    {{ clean_name('customers.first_name') }} as first_name,
    {{ clean_name('customers.last_name') }} as last_name,
    case when customers.birth_date <= {{ as_of_day() }} then customers.birth_date end as birth_date,
    customers.street,
    customers.postal_code,
    customers.city,
    countries.country_code,
    {{ language_code('customers.language') }} as language_code,
    customers.acquisition_channel,
    customers.accepts_marketing,
    customers.accepts_marketing_at,
    customers.created_at,
    coalesce(customers.updated_at, customers.created_at) as updated_at
from customers
left join {{ ref('country_names') }} as countries on lower(customers.country) = countries.country_name
