-- Accounts, addresses and phone numbers that are no person's: what people type to get past a form (seed
-- blocked_identifiers), and what its orders show to be a till, a marketplace's account or a placeholder.
{% set max_names = var('identity_max_names') %}
{% set max_orders = var('identity_max_orders_30d') %}
-- Where a shop names no buyer, to be without a name tells nothing.
with shop as (
    select count(case when name_text <> '' then 1 end) > 0 as tells_names from {{ ref('order_identifiers') }}
),

suspects as (
    select * from {{ ref('order_identifiers') }} where is_suspect
),

-- What they go by: their own key or address, the account's address, and a name.
texts as (
    select
        identifier_type,
        identifier,
        'key' as text_type,
        case when identifier_type = 'email' then {{ dbt.split_part('identifier', "'@'", 1) }} else identifier end as given_text
    from suspects
    union all
    select
        identifier_type,
        identifier,
        'address' as text_type,
        {{ dbt.split_part('account_mailbox', "'@'", 1) }} as given_text
    from suspects
    where account_mailbox is not null
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
        identifier_type,
        identifier,
        text_type,
        ' ' || trim({{ replace_pattern('lower(given_text)', "[^\\p{L}]+", ' ') | trim }}) || ' ' as words
    from texts
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
        suspects.account_mailbox,
        case
            when suspects.n_names > {{ max_names }} then 'more than {{ max_names }} names on its orders'
            when suspects.n_contacts > {{ max_names }} then 'more than {{ max_names }} addresses or phone numbers on its orders'
            when suspects.is_too_busy_called_so and called_so.word is not null
                then 'more than {{ max_orders.called_so }} orders in 30 days, and it is called ' || called_so.word
            when suspects.is_too_busy_nameless and suspects.name_text = '' and shop.tells_names
                then 'more than {{ max_orders.nameless }} orders in 30 days, and no name'
        end as why
    from suspects
    cross join shop
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
        shapes.account_mailbox as identifier,
        'the address of ' || shapes.identifier || ', an account of no person' as why
    from shapes
    inner join telling
        on
            shapes.identifier_type = telling.identifier_type
            and shapes.identifier = telling.identifier
            and telling.text_type = 'address'
    where shapes.why is not null
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
    coalesce(max(orders.n_orders), 0) as n_orders
from found
left join {{ ref('order_identifiers') }} as orders
    on found.identifier_type = orders.identifier_type and found.identifier = orders.identifier
group by found.identifier_type, found.identifier
