-- No recommendation leaves without a consent to recommendations, neither in an audience nor in the outbox.
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

agreed as (
    select distinct customer_id
    from {{ ref('contactability') }}
    where is_ai_personalisation_allowed
)

select payloads.customer_id
from payloads
left join agreed on payloads.customer_id = agreed.customer_id
where
    agreed.customer_id is null
    -- A null takes back what was sent while they agreed.
    and (
        {% for place in [1, 2, 3] -%}
        payloads.payload like '%"recommended_product_{{ place }}": "%'
        or payloads.payload like '%"recommended_name_{{ place }}": "%'
        {{ 'or' if not loop.last }}
        {% endfor %}
    )
