-- Identifiers that orders name: an account, an address, or a phone number if an order has no address. Those on many orders are
-- measured. Orders of every status count, so that a finding does not disappear later.
-- Longer than 120 lines because an identifier is measured by orders, by names and by 30 days, in rows of three grains.
{% set max_names = var('identity_max_names') %}
{% set max_orders = var('identity_max_orders_30d') %}
with shop_orders as (
    select
        orders.*,
        coalesce(orders.first_name, orders.last_name) as given_name,
        case when orders.email is null then {{ dialled_phone('orders.phone') }} end as dialled,
        countries.calling_code,
        coalesce(countries.trunk_prefix, '') as trunk_prefix
    from {{ with_mailboxes(ref('stg_shop__orders')) }} as orders
    left join {{ ref('countries') }} as countries
        on coalesce(orders.country_code, '{{ var("default_country") }}') = countries.country_code
),

accounts as (
    select
        shop_customer_id,
        widest_mailbox,
        trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) as account_name
    from {{ with_mailboxes(ref('stg_shop__customers')) }} as addressed_accounts
),

order_names as (
    select
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier,
        order_id,
        ordered_at,
        given_name,
        coalesce(widest_mailbox, phone) as contact
    from shop_orders
    where shop_customer_id is not null
    union all
    select
        'email' as identifier_type,
        widest_mailbox as identifier,
        order_id,
        ordered_at,
        given_name,
        phone as contact
    from shop_orders
    where email is not null
    union all
    select
        'phone' as identifier_type,
        coalesce({{ e164('dialled', 'calling_code', 'trunk_prefix') }}, phone) as identifier,
        order_id,
        ordered_at,
        given_name,
        cast(null as {{ dbt.type_string() }}) as contact
    from shop_orders
    where email is null and phone is not null
),

identifier_counts as (
    select
        identifier_type,
        identifier,
        count(*) as n_orders,
        count(distinct given_name) as n_spellings,
        count(distinct contact) as n_contacts,
        max(given_name) as a_name
    from order_names
    group by identifier_type, identifier
),

busy_identifiers as (
    select * from identifier_counts where n_orders > {{ [max_names, max_orders.called_so] | min }}
),

-- Names are counted by their first letters, so that spellings count once.
busy_orders as (
    select
        order_names.identifier_type,
        order_names.identifier,
        case
            when busy_identifiers.n_spellings > {{ max_names }}
                then lower(substr(order_names.given_name, 1, 3))
        end as name_key,
        {% for kind, limit in max_orders.items() -%}
        lag(order_names.ordered_at, {{ limit }}) over (
            partition by order_names.identifier_type, order_names.identifier order by order_names.ordered_at, order_names.order_id
        ) as before_{{ kind }},
        {% endfor -%}
        {{ date_add('day', -30, 'order_names.ordered_at') }} as month_before_at
    from order_names
    inner join busy_identifiers
        on
            order_names.identifier_type = busy_identifiers.identifier_type
            and order_names.identifier = busy_identifiers.identifier
),

busy_measures as (
    select
        {% for kind in max_orders -%}
        max(case when before_{{ kind }} > month_before_at then 1 else 0 end) = 1 as is_too_busy_{{ kind }},
        {% endfor -%}
        identifier_type,
        identifier,
        count(distinct name_key) as n_names
    from busy_orders
    group by identifier_type, identifier
)

select
    identifier_counts.identifier_type,
    identifier_counts.identifier,
    identifier_counts.n_orders,
    identifier_counts.n_contacts,
    busy_measures.n_names,
    busy_measures.is_too_busy_called_so,
    busy_measures.is_too_busy_nameless,
    coalesce(accounts.account_name, identifier_counts.a_name, '') as name_text,
    accounts.widest_mailbox as account_mailbox,
    -- Only these can turn out to be shared.
    coalesce(
        busy_measures.is_too_busy_called_so
        or busy_measures.is_too_busy_nameless
        or busy_measures.n_names > {{ max_names }}
        or identifier_counts.n_contacts > {{ max_names }},
        false
    ) as is_suspect
from identifier_counts
left join busy_measures
    on
        identifier_counts.identifier_type = busy_measures.identifier_type
        and identifier_counts.identifier = busy_measures.identifier
left join accounts
    on identifier_counts.identifier_type = 'shop_customer_id' and identifier_counts.identifier = accounts.shop_customer_id
