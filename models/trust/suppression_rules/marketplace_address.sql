-- Marketplaces forbid marketing to their buyers, and relay only messages about an order. An alias that the person chose (Hide
-- My Email, Firefox Relay, DuckDuckGo) is their own address and is not suppressed.
with domains as (
    select distinct {{ dbt.split_part('email', "'@'", 2) }} as email_domain
    from {{ ref('customers') }}
    where email is not null
),

relays as (
    select
        domains.email_domain,
        min(marketplaces.marketplace) as marketplace
    from domains
    inner join {{ ref('marketplace_domains') }} as marketplaces
        on {{ is_lent_by_marketplace('domains.email_domain', 'marketplaces.email_domain') }}
    group by domains.email_domain
)

select
    customers.customer_id,
    'marketing' as scope,
    customers.first_seen_at as since,
    cast(null as timestamp) as until,
    'Relay address from ' || relays.marketplace || ', for messages about an order only.' as reason
from {{ ref('customers') }} as customers
inner join relays on {{ dbt.split_part('customers.email', "'@'", 2) }} = relays.email_domain
