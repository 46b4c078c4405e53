{{ config(materialized='view') }}
-- Rows that sources still have of erased persons. source_reconciliation counts them. No public table lists them.
-- Longer than 120 lines because each source finds its rows of an erased person by a join of its own.
with erased_records as (
    select * from {{ ref('erased_records') }}
),

-- A person who came back after an erasure keeps only what is newer than the request.
erased_until as (
    select
        record_key,
        record_type,
        record_id,
        cast(null as timestamp) as erased_until
    from erased_records
    union all
    select
        record_key,
        record_type,
        record_id,
        erased_until
    from {{ ref('record_customers') }}
    where erased_until is not null
),

-- Events may outlive their profile in the source.
profiles as (
    select events.profile_id
    from {{ ref('profile_event_counts') }} as events
    left join {{ ref('record_customers') }} as records
        on records.record_type = 'esp_profile' and events.profile_id = records.record_id
    where records.record_id is null
),

hashed_profiles as (
    select
        profiles.profile_id,
        {{ named_hash('profile_id', 'profiles.profile_id') }} as identifier_hash
    from profiles
    cross join {{ ref('erasure_salt') }} as salt
),

erased_profiles as (
    select hashed_profiles.profile_id
    from hashed_profiles
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on hashed_profiles.identifier_hash = erased_identifiers.identifier_hash
),

orders as (
    select
        orders.order_id,
        orders.total_amount
    from {{ ref('stg_shop__orders') }} as orders
    inner join {{ ref('order_records') }} as records on orders.order_id = records.order_id
    inner join erased_until as erasures
        on
            records.record_key = erasures.record_key
            and not coalesce(orders.ordered_at > erasures.erased_until, false)
),

-- The rows of erased records, by the id that each table has of them.
erased_row_counts as (
    {% for source_name, table_name, staged, key, record_type, record_id, amount in [
        ('crm', 'contacts', 'stg_crm__contacts', 'contact_id', 'crm_contact', 'contact_id', 'null'),
        ('crm', 'opportunities', 'stg_crm__opportunities', 'opportunity_id', 'crm_contact', 'contact_id', 'staged.amount'),
        ('shop', 'customers', 'stg_shop__customers', 'shop_customer_id', 'shop_customer', 'shop_customer_id', 'null'),
        ('support', 'tickets', 'stg_support__tickets', 'ticket_id', 'support_requester', 'requester_id', 'null'),
        ('esp', 'profiles', 'stg_esp__profiles', 'profile_id', 'esp_profile', 'profile_id', 'null'),
        ('billing', 'subscriptions', 'stg_billing__subscriptions', 'subscription_id', 'shop_customer', 'shop_customer_id', 'null')
    ] -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        staged.{{ key }} as row_key,
        1 as n_rows,
        cast({{ amount }} as decimal(18, 2)) as amount
    from {{ ref(staged) }} as staged
    inner join erased_records on erased_records.record_type = '{{ record_type }}' and staged.{{ record_id }} = erased_records.record_id
    union all
    {% endfor %}
    select
        'shop' as source_name,
        'orders' as table_name,
        order_id as row_key,
        1 as n_rows,
        cast(total_amount as decimal(18, 2)) as amount
    from orders
    union all
    select
        'shop' as source_name,
        'order_lines' as table_name,
        lines.order_line_id as row_key,
        1 as n_rows,
        cast(lines.gross_amount as decimal(18, 2)) as amount
    from {{ ref('stg_shop__order_lines') }} as lines
    inner join orders on lines.order_id = orders.order_id
    union all
    select
        'shop' as source_name,
        'refunds' as table_name,
        refunds.refund_id as row_key,
        1 as n_rows,
        cast(refunds.refund_amount as decimal(18, 2)) as amount
    from {{ ref('stg_shop__refunds') }} as refunds
    left join orders on refunds.order_id = orders.order_id
    left join {{ ref('order_customers') }} as kept_orders on refunds.order_id = kept_orders.order_id
    left join erased_until as erasures
        on
            erasures.record_type = 'shop_customer'
            and refunds.shop_customer_id = erasures.record_id
            and not coalesce(refunds.refunded_at > erasures.erased_until, false)
    -- A refund belongs to the customer of its order, whichever account it was paid to.
    where orders.order_id is not null or (kept_orders.order_id is null and erasures.record_id is not null)
    union all
    select
        'web' as source_name,
        'events' as table_name,
        sessions.visitor_id as row_key,
        sessions.n_events as n_rows,
        cast(null as decimal(18, 2)) as amount
    from {{ ref('stg_web__sessions') }} as sessions
    left join {{ ref('visitor_customers') }} as visitors on sessions.visitor_id = visitors.visitor_id
    where visitors.visitor_id is null
    union all
    select
        'esp' as source_name,
        'message_events' as table_name,
        events.profile_id as row_key,
        events.n_events as n_rows,
        cast(null as decimal(18, 2)) as amount
    from {{ ref('profile_event_counts') }} as events
    inner join erased_profiles on events.profile_id = erased_profiles.profile_id
)

select
    source_name,
    table_name,
    row_key,
    sum(n_rows) as n_rows,
    sum(amount) as amount
from erased_row_counts
group by source_name, table_name, row_key
