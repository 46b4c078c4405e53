-- What people look at and buy, by product. The one pass over the newest web events that asks for the product; visits
-- are attributed as web_visits does it.
{% set points = var('interest_points') %}
{% set age_days = dbt.datediff('occurred_at', as_of(), 'day') %}
{% set fades = "cast(power(0.5, cast(" ~ age_days ~ " as double) / " ~ var('interest_half_life_days') ~ ") as decimal(18, 6))" %}
with visits as (
    select
        visitor_id,
        session_key,
        customer_id
    from {{ ref('web_visits') }}
    where customer_id is not null and ended_at >= {{ dbt.dateadd('day', -var('interest_days'), as_of()) }}
),

events as (
    select
        visitor_id,
        coalesce(session_id, cast(cast(occurred_at as date) as {{ dbt.type_string() }})) as session_key,
        product_id,
        event_type,
        occurred_at
    from {{ ref('stg_web__events') }}
    where
        product_id is not null
        and event_type in ('product_view', 'add_to_cart', 'add_to_wishlist')
        and occurred_at >= {{ dbt.dateadd('day', -var('interest_days'), as_of()) }}
),

looked_at as (
    select
        visits.customer_id,
        events.product_id,
        count(case when events.event_type = 'product_view' then 1 end) as n_views,
        count(distinct case when events.event_type = 'product_view' then cast(events.occurred_at as date) end) as n_days_viewed,
        count(case when events.event_type = 'add_to_cart' then 1 end) as n_cart_adds,
        sum(
            case events.event_type
                {%- for event_type in points if event_type != 'purchase' %}
                when '{{ event_type }}' then {{ points[event_type] }}
                {%- endfor %}
            end * {{ fades }}
        ) as interest,
        min(events.occurred_at) as first_looked_at,
        max(events.occurred_at) as last_looked_at
    from events
    inner join visits on events.visitor_id = visits.visitor_id and events.session_key = visits.session_key
    group by visits.customer_id, events.product_id
),

sales as (
    select
        customer_id,
        product_id,
        quantity,
        ordered_at as occurred_at
    from {{ ref('order_lines') }}
    where is_sale and product_id is not null
),

bought as (
    select
        customer_id,
        product_id,
        sum(quantity) as n_units,
        count(distinct cast(occurred_at as date)) as n_days_ordered,
        sum({{ points['purchase'] }} * {{ fades }}) as interest,
        min(occurred_at) as first_ordered_at,
        max(occurred_at) as last_ordered_at
    from sales
    group by customer_id, product_id
),

products as (
    select * from {{ ref('products') }}
),

both_ways as (
    select
        coalesce(looked_at.customer_id, bought.customer_id) as customer_id,
        coalesce(looked_at.product_id, bought.product_id) as product_id,
        looked_at.n_views,
        looked_at.n_days_viewed,
        looked_at.n_cart_adds,
        looked_at.first_looked_at,
        looked_at.last_looked_at,
        bought.n_units,
        bought.n_days_ordered,
        bought.first_ordered_at,
        bought.last_ordered_at,
        coalesce(looked_at.interest, 0) + coalesce(bought.interest, 0) as interest
    from looked_at
    full join bought
        on looked_at.customer_id = bought.customer_id and looked_at.product_id = bought.product_id
)

select
    both_ways.customer_id,
    both_ways.product_id,
    products.category,
    cast(coalesce(both_ways.n_views, 0) as bigint) as n_views,
    cast(coalesce(both_ways.n_days_viewed, 0) as bigint) as n_days_viewed,
    cast(coalesce(both_ways.n_cart_adds, 0) as bigint) as n_cart_adds,
    cast(coalesce(both_ways.n_units, 0) as bigint) as n_units,
    cast(coalesce(both_ways.n_days_ordered, 0) as bigint) as n_days_ordered,
    cast(both_ways.interest as decimal(18, 4)) as interest,
    both_ways.first_looked_at,
    both_ways.last_looked_at,
    both_ways.first_ordered_at,
    both_ways.last_ordered_at
from both_ways
left join products on both_ways.product_id = products.product_id
