-- A visitor is joined to the one customer who ever logged in or left an address on it. A device that several
-- people use is nobody's: visits on it count only for the person logged in.
with sessions as (
    select
        visitor_id,
        first_shop_customer_id,
        last_shop_customer_id,
        first_email,
        last_email,
        min(started_at) as first_seen_at
    from {{ ref('stg_web__sessions') }}
    group by visitor_id, first_shop_customer_id, last_shop_customer_id, first_email, last_email
),

checkouts as (
    select distinct
        visitor_id,
        shop_customer_id,
        email
    from {{ ref('stg_shop__orders') }}
    where visitor_id is not null
),

logins as (
    select
        visitor_id,
        'shop_customer_id' as identifier_type,
        first_shop_customer_id as identifier
    from sessions
    union all
    select
        visitor_id,
        'shop_customer_id' as identifier_type,
        last_shop_customer_id as identifier
    from sessions
    union all
    select
        visitor_id,
        'email' as identifier_type,
        first_email as identifier
    from sessions
    union all
    select
        visitor_id,
        'email' as identifier_type,
        last_email as identifier
    from sessions
    union all
    select
        visitor_id,
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier
    from checkouts
    union all
    select
        visitor_id,
        'email' as identifier_type,
        email as identifier
    from checkouts where shop_customer_id is null
),

known as (
    select
        logins.visitor_id,
        min(identifier_customers.customer_id) as customer_id,
        count(distinct identifier_customers.customer_id) as n_customers
    from logins
    inner join {{ ref('identifier_customers') }} as identifier_customers
        on
            logins.identifier_type = identifier_customers.identifier_type
            and logins.identifier = identifier_customers.identifier
    group by logins.visitor_id
),

sightings as (
    select
        visitor_id,
        first_seen_at
    from sessions
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
)

select
    visitors.visitor_id,
    case when known.n_customers = 1 then known.customer_id end as customer_id,
    coalesce(known.n_customers, 0) as n_customers,
    visitors.first_seen_at
from visitors
left join known on visitors.visitor_id = known.visitor_id
