-- The first opt-in of a customer who has not ordered. An opt-in after an opt-out is a change of mind, not a new subscription.
with first_answers as (
    select
        customer_id,
        min(since) as subscribed_at
    from {{ ref('consents') }}
    where purpose = 'marketing_email' and channel = 'email' and is_allowed and lawful_basis = 'express'
    group by customer_id
)

select
    customers.customer_id,
    customers.customer_id as subject_id,
    cast(null as {{ dbt.type_string() }}) as subject_name,
    first_answers.subscribed_at as happened_at,
    cast(null as decimal(18, 2)) as amount,
    'Subscribed on ' || {{ day_text('first_answers.subscribed_at') }} || ' and has not ordered.' as reason
from {{ ref('customers') }} as customers
inner join first_answers on customers.customer_id = first_answers.customer_id
where customers.n_orders = 0 and first_answers.subscribed_at > {{ trigger_since() }}
