-- No recommendation leaves without consent to recommendations, neither in an audience nor in the outbox.
with payloads as (
    select
        customer_id,
        payload
    from {{ ref('audience_members') }}
    union all
    select
        customer_id,
        payload
    from {{ ref('sync_outbox') }}
),

consenting_customers as (
    select distinct customer_id
    from {{ ref('contactability') }}
    where is_ai_personalisation_allowed
)

select payloads.customer_id
from payloads
left join consenting_customers on payloads.customer_id = consenting_customers.customer_id
where
    consenting_customers.customer_id is null
    -- A null is allowed: it clears a value that was sent while consent was given.
    and (
        {% for place in [1, 2, 3] -%}
        payloads.payload like '%"recommended_product_{{ place }}": "%'
        or payloads.payload like '%"recommended_name_{{ place }}": "%'
        {{ 'or' if not loop.last }}
        {% endfor %}
    )
