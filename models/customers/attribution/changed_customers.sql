-- Customers whose attribution changed, or whose orders, refunds, tickets or bounces of a past day changed.
-- depends_on: {{ ref('stg_esp__profile_days') }}, {{ ref('stg_web__sessions') }}, {{ ref('customer_shop_days') }}, {{ ref('attribution_keys') }}
{% set days = activity_days('customer_daily_activity') %}
with changes as (
    select * from {{ ref('attribution_changes') }}
),

{% if days -%}
shop_days as (
    select * from {{ ref('customer_shop_days') }}
),

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

owners as (
    select * from {{ ref('attribution_keys') }}
),

previous_days as (
    select * from {{ relation_of('customer_daily_activity') }}
    where n_orders > 0 or n_units <> 0 or revenue <> 0 or discount_amount <> 0 or n_refunds > 0 or n_tickets > 0 or n_bounces > 0
),

-- On a device whose customer changed, sessions with a login count for the customer of that account.
logged_in_customers as (
    select accounts.customer_id
    from changes
    inner join sessions on changes.owner_key = 'web_visitor:' || sessions.visitor_id
    inner join owners as accounts on 'shop_account:' || sessions.greatest_shop_customer_id = accounts.owner_key
),

changed_customer_ids as (
    select old_customer_id as customer_id from changes
    union all
    select new_customer_id as customer_id from changes
    union all
    select customer_id from logged_in_customers
    union all
    select coalesce(shop_days.customer_id, previous_days.customer_id) as customer_id
    from shop_days
    full outer join previous_days
        on shop_days.customer_id = previous_days.customer_id and shop_days.activity_on = previous_days.activity_on
    where
        {% for column in [
            'n_orders', 'n_units', 'revenue', 'discount_amount', 'days_since_previous_order', 'n_refunds', 'returned_amount', 'n_tickets',
            'n_bounces', 'n_emails_only_bounced'
        ] -%}
        shop_days.{{ column }} is distinct from previous_days.{{ column }}{{ ' or' if not loop.last }}
        {% endfor %}
)
{%- else -%}
-- This build writes all rows, so it needs no list.
changed_customer_ids as (
    select new_customer_id as customer_id
    from changes
    where 1 = 0
)
{%- endif %}

select customer_id
from changed_customer_ids
where customer_id is not null
group by customer_id
