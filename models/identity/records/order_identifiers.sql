-- What orders name: an account, an address, or a phone number where an order has no address; of what many name also how it
-- looks. All orders count, whatever became of them, so that what is found stays found.
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

named as (
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

counted as (
    select
        identifier_type,
        identifier,
        count(*) as n_orders,
        count(distinct given_name) as n_spellings,
        count(distinct contact) as n_contacts,
        max(given_name) as a_name
    from named
    group by identifier_type, identifier
),

many as (
    select * from counted where n_orders > {{ [max_names, max_orders.called_so] | min }}
),

-- People are counted by the first letters of their names, whatever way these are written.
spaced as (
    select
        named.identifier_type,
        named.identifier,
        case
            when many.n_spellings > {{ max_names }}
                then lower(substr(named.given_name, 1, 3))
        end as name_key,
        {% for kind, limit in max_orders.items() -%}
        lag(named.ordered_at, {{ limit }}) over (
            partition by named.identifier_type, named.identifier order by named.ordered_at, named.order_id
        ) as before_{{ kind }},
        {% endfor -%}
        {{ dbt.dateadd('day', -30, 'named.ordered_at') }} as month_before_at
    from named
    inner join many on named.identifier_type = many.identifier_type and named.identifier = many.identifier
),

measured as (
    select
        {% for kind in max_orders -%}
        max(case when before_{{ kind }} > month_before_at then 1 else 0 end) = 1 as is_too_busy_{{ kind }},
        {% endfor -%}
        identifier_type,
        identifier,
        count(distinct name_key) as n_names
    from spaced
    group by identifier_type, identifier
)

select
    counted.identifier_type,
    counted.identifier,
    counted.n_orders,
    counted.n_contacts,
    measured.n_names,
    measured.is_too_busy_called_so,
    measured.is_too_busy_nameless,
    coalesce(accounts.account_name, counted.a_name, '') as name_text,
    accounts.widest_mailbox as account_mailbox,
    -- Only these can turn out to be no person's.
    coalesce(
        measured.is_too_busy_called_so
        or measured.is_too_busy_nameless
        or measured.n_names > {{ max_names }}
        or counted.n_contacts > {{ max_names }},
        false
    ) as is_suspect
from counted
left join measured on counted.identifier_type = measured.identifier_type and counted.identifier = measured.identifier
left join accounts on counted.identifier_type = 'shop_customer_id' and counted.identifier = accounts.shop_customer_id
