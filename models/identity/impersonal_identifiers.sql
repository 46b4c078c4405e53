-- Accounts, addresses and phone numbers that are no person's: what people type to get past a form (seed
-- blocked_identifiers), and what its orders show to be a till, a marketplace's account or a placeholder. All orders count,
-- whatever became of them, so that what is found stays found.
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

-- What an order names: its account and its address; its phone number where it has no address.
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

suspects as (
    select
        counted.*,
        coalesce(accounts.account_name, counted.a_name, '') as name_text
    from counted
    left join accounts on counted.identifier_type = 'shop_customer_id' and counted.identifier = accounts.shop_customer_id
    where counted.n_orders > {{ [max_names, max_orders.called_so] | min }}
),

-- Names as identity compares them; one that it does not compare counts as it is written.
name_keys as (
    select distinct
        suspects.identifier_type,
        suspects.identifier,
        coalesce(substr({{ name_key('named.given_name') }}, 1, 3), lower(named.given_name)) as name_key
    from suspects
    inner join named on suspects.identifier_type = named.identifier_type and suspects.identifier = named.identifier
    where suspects.n_spellings > {{ max_names }}
),

names as (
    select
        identifier_type,
        identifier,
        count(name_key) as n_names
    from name_keys
    group by identifier_type, identifier
),

spaced as (
    select
        suspects.identifier_type,
        suspects.identifier,
        {% for kind, limit in max_orders.items() -%}
        lag(named.ordered_at, {{ limit }}) over (
            partition by suspects.identifier_type, suspects.identifier order by named.ordered_at, named.order_id
        ) as before_{{ kind }},
        {% endfor -%}
        {{ dbt.dateadd('day', -30, 'named.ordered_at') }} as month_before_at
    from suspects
    inner join named on suspects.identifier_type = named.identifier_type and suspects.identifier = named.identifier
),

busy as (
    select
        {% for kind in max_orders -%}
        max(case when before_{{ kind }} > month_before_at then 1 else 0 end) = 1 as is_too_busy_{{ kind }},
        {% endfor -%}
        identifier_type,
        identifier
    from spaced
    group by identifier_type, identifier
),

-- What they go by: their own key or address, the account's address, and a name.
texts as (
    select
        suspects.identifier_type,
        suspects.identifier,
        'key' as text_type,
        case
            when suspects.identifier_type = 'email' then {{ dbt.split_part('suspects.identifier', "'@'", 1) }}
            else suspects.identifier
        end as given_text
    from suspects
    union all
    select
        'shop_customer_id' as identifier_type,
        suspects.identifier,
        'address' as text_type,
        {{ dbt.split_part('accounts.widest_mailbox', "'@'", 1) }} as given_text
    from suspects
    inner join accounts on suspects.identifier_type = 'shop_customer_id' and suspects.identifier = accounts.shop_customer_id
    where accounts.widest_mailbox is not null
    union all
    select
        identifier_type,
        identifier,
        'name' as text_type,
        name_text as given_text
    from suspects
    where name_text <> ''
),

spelled as (
    select
        texts.identifier_type,
        texts.identifier,
        texts.text_type,
        ' ' || trim({{ replace_pattern('lower(texts.given_text)', "[^\\p{L}]+", ' ') | trim }}) || ' ' as words
    from texts
    inner join suspects on texts.identifier_type = suspects.identifier_type and texts.identifier = suspects.identifier
    inner join busy on texts.identifier_type = busy.identifier_type and texts.identifier = busy.identifier
    where
        busy.is_too_busy_called_so
        or suspects.n_spellings > {{ max_names }}
        or suspects.n_contacts > {{ max_names }}
),

-- A word tells wherever it stands; what may be a person's name too (Till) only where it stands alone.
telling as (
    select
        spelled.identifier_type,
        spelled.identifier,
        spelled.text_type,
        min(blocked.identifier) as word
    from spelled
    cross join {{ ref('blocked_identifiers') }} as blocked
    where
        (blocked.identifier_type = 'word' and spelled.words like '% ' || blocked.identifier || ' %')
        or (blocked.identifier_type = 'name' and spelled.words = ' ' || blocked.identifier || ' ')
    group by spelled.identifier_type, spelled.identifier, spelled.text_type
),

-- Who has a name that tells nothing is a person, whatever their address is.
called_so as (
    select
        spelled.identifier_type,
        spelled.identifier,
        min(telling.word) as word
    from spelled
    left join telling
        on
            spelled.identifier_type = telling.identifier_type
            and spelled.identifier = telling.identifier
            and spelled.text_type = telling.text_type
    group by spelled.identifier_type, spelled.identifier
    having count(case when spelled.text_type = 'name' and telling.word is null then 1 end) = 0
),

shapes as (
    select
        suspects.identifier_type,
        suspects.identifier,
        case
            when names.n_names > {{ max_names }} then 'more than {{ max_names }} names on its orders'
            when suspects.n_contacts > {{ max_names }} then 'more than {{ max_names }} addresses or phone numbers on its orders'
            when busy.is_too_busy_called_so and called_so.word is not null
                then 'more than {{ max_orders.called_so }} orders in 30 days, and it is called ' || called_so.word
            when busy.is_too_busy_nameless and suspects.name_text = ''
                then 'more than {{ max_orders.nameless }} orders in 30 days, and no name'
        end as why
    from suspects
    inner join busy on suspects.identifier_type = busy.identifier_type and suspects.identifier = busy.identifier
    left join names on suspects.identifier_type = names.identifier_type and suspects.identifier = names.identifier
    left join called_so on suspects.identifier_type = called_so.identifier_type and suspects.identifier = called_so.identifier
),

found as (
    select
        identifier_type,
        identifier,
        why
    from shapes
    where why is not null
    union all
    -- A till's address is a till's too; where only its orders say what it is, a person may have lent it theirs.
    select
        'email' as identifier_type,
        accounts.widest_mailbox as identifier,
        'the address of ' || shapes.identifier || ', an account of no person' as why
    from shapes
    inner join accounts on shapes.identifier = accounts.shop_customer_id
    inner join telling
        on
            telling.identifier_type = 'shop_customer_id'
            and shapes.identifier = telling.identifier
            and telling.text_type = 'address'
    where shapes.identifier_type = 'shop_customer_id' and shapes.why is not null
    union all
    select
        identifier_type,
        case when identifier_type = 'email' then widest_mailbox else identifier end as identifier,
        'blocked' || coalesce(': ' || why, '') as why
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as blocked
    where identifier_type in ('email', 'phone', 'shop_customer_id')
)

select
    found.identifier_type,
    found.identifier,
    min(found.why) as why,
    coalesce(max(counted.n_orders), 0) as n_orders
from found
left join counted on found.identifier_type = counted.identifier_type and found.identifier = counted.identifier
group by found.identifier_type, found.identifier
