-- Each decision has a status and a reason.
select
    customers.customer_id,
    purposes.channel,
    purposes.purpose
from {{ ref('customers') }} as customers
cross join {{ ref('consent_purposes') }} as purposes
left join {{ ref('consents') }} as consents
    on
        customers.customer_id = consents.customer_id
        and purposes.channel = consents.channel
        and purposes.purpose = consents.purpose
where consents.status is null or consents.reason is null
