-- Shared accounts, addresses and phone numbers: placeholders (seed blocked_identifiers), and those whose orders show a till, a
-- marketplace account or a placeholder.
-- Longer than 120 lines because a till shows itself in three texts (key, address, name), and each is searched and weighed in
-- its own way.
{% set max_names = var('identity_max_names') %}
{% set max_orders = var('identity_max_orders_30d') %}
-- In a shop without buyers' names, a missing name means nothing.
with shop as (
    select count(case when name_text <> '' then 1 end) > 0 as has_names from {{ ref('order_identifiers') }}
),

suspects as (
    select * from {{ ref('order_identifiers') }} where is_suspect
),

-- The texts to search: the key or address itself, the account's address, and a name.
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

text_words as (
    select
        identifier_type,
        identifier,
        text_type,
        ' ' || trim({{ replace_pattern('lower(given_text)', "[^\\p{L}]+", ' ') | trim }}) || ' ' as words
    from texts
),

-- A word counts anywhere in a text. A word that may also be a name (Till) counts only on its own.
matched_words as (
    select
        text_words.identifier_type,
        text_words.identifier,
        text_words.text_type,
        min(blocked.identifier) as word
    from text_words
    cross join {{ ref('blocked_identifiers') }} as blocked
    where
        (blocked.identifier_type = 'word' and text_words.words like '% ' || blocked.identifier || ' %')
        or (blocked.identifier_type = 'name' and text_words.words = ' ' || blocked.identifier || ' ')
    group by text_words.identifier_type, text_words.identifier, text_words.text_type
),

-- A name without such a word is a person's, whatever the address says.
suspects_by_word as (
    select
        text_words.identifier_type,
        text_words.identifier,
        min(matched_words.word) as word
    from text_words
    left join matched_words
        on
            text_words.identifier_type = matched_words.identifier_type
            and text_words.identifier = matched_words.identifier
            and text_words.text_type = matched_words.text_type
    group by text_words.identifier_type, text_words.identifier
    having count(case when text_words.text_type = 'name' and matched_words.word is null then 1 end) = 0
),

suspect_reasons as (
    select
        suspects.identifier_type,
        suspects.identifier,
        suspects.account_mailbox,
        case
            when suspects.n_names > {{ max_names }} then 'more than {{ max_names }} names on its orders'
            when suspects.n_contacts > {{ max_names }} then 'more than {{ max_names }} addresses or phone numbers on its orders'
            when suspects.is_too_busy_called_so and suspects_by_word.word is not null
                then 'more than {{ max_orders.called_so }} orders in 30 days, and it is called ' || suspects_by_word.word
            when suspects.is_too_busy_nameless and suspects.name_text = '' and shop.has_names
                then 'more than {{ max_orders.nameless }} orders in 30 days, and no name'
        end as why
    from suspects
    cross join shop
    left join suspects_by_word
        on suspects.identifier_type = suspects_by_word.identifier_type and suspects.identifier = suspects_by_word.identifier
),

identifier_reasons as (
    select
        identifier_type,
        identifier,
        why
    from suspect_reasons
    where why is not null
    union all
    -- The address of such an account is shared too, if it says so. If only the orders say so, it may be a person's.
    select
        'email' as identifier_type,
        suspect_reasons.account_mailbox as identifier,
        'the address of account ' || suspect_reasons.identifier || ', which is not a person' as why
    from suspect_reasons
    inner join matched_words
        on
            suspect_reasons.identifier_type = matched_words.identifier_type
            and suspect_reasons.identifier = matched_words.identifier
            and matched_words.text_type = 'address'
    where suspect_reasons.why is not null
    union all
    select
        identifier_type,
        case when identifier_type = 'email' then widest_mailbox else identifier end as identifier,
        'blocked' || coalesce(': ' || why, '') as why
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as blocked
    where identifier_type in ('email', 'phone', 'shop_customer_id')
)

select
    identifier_reasons.identifier_type,
    identifier_reasons.identifier,
    min(identifier_reasons.why) as why,
    coalesce(max(orders.n_orders), 0) as n_orders
from identifier_reasons
left join {{ ref('order_identifiers') }} as orders
    on identifier_reasons.identifier_type = orders.identifier_type and identifier_reasons.identifier = orders.identifier
group by identifier_reasons.identifier_type, identifier_reasons.identifier
