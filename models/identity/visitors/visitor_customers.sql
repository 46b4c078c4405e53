-- A visitor belongs to the one customer who ever logged in or gave an address on it. A shared device, or one that an erased
-- person used too, belongs to no customer: its sessions count only for the person logged in. A device that only an erased
-- person used is left out.
with login_customers as (
    select
        logins.visitor_id,
        min(identifier_customers.customer_id) as customer_id,
        count(distinct identifier_customers.customer_id) as n_customers
    from {{ ref('visitor_logins') }} as logins
    inner join {{ ref('identifier_customers') }} as identifier_customers
        on
            logins.identifier_type = identifier_customers.identifier_type
            and logins.identifier = identifier_customers.identifier
    group by logins.visitor_id
),

erased_visitors as (
    select
        record_id as visitor_id,
        1 as n_customers
    from {{ ref('erased_records') }}
    where record_type = 'web_visitor'
),

sightings as (
    select
        visitor_id,
        started_at as first_seen_at
    from {{ ref('stg_web__sessions') }}
    {%- if var('keep_anonymous_visitors') %}
    union all
    select
        visitor_id,
        ordered_at as first_seen_at
    from {{ ref('stg_shop__orders') }}
    where visitor_id is not null
    {%- endif %}
),

visitors as (
    select
        visitor_id,
        min(first_seen_at) as first_seen_at
    from sightings
    group by visitor_id
),

visitor_counts as (
    select
        visitors.visitor_id,
        visitors.first_seen_at,
        login_customers.customer_id,
        coalesce(login_customers.n_customers, 0) + coalesce(erased_visitors.n_customers, 0) as n_customers
    from visitors
    left join login_customers on visitors.visitor_id = login_customers.visitor_id
    left join erased_visitors on visitors.visitor_id = erased_visitors.visitor_id
    where erased_visitors.visitor_id is null or login_customers.n_customers > 0
)

select
    visitor_id,
    case when n_customers = 1 then customer_id end as customer_id,
    n_customers,
    first_seen_at
from visitor_counts
