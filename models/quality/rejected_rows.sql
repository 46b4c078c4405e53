-- Rows of erased persons are in erased_rows instead. A flawed row that names one has neither key nor text here. A row that
-- depends on one removed by a row mark (macros/staging/marks.sql) has the same reason.
-- Longer than 120 lines because rows are rejected for five kinds of reasons, each found by joins of its own.
{% set identifier_columns = {
    'email': ['email', 'requester_email'], 'phone': ['phone', 'requester_phone'],
    'shop_customer_id': ['customer_id', 'external_id'], 'contact_id': ['contact_id'], 'profile_id': ['profile_id'],
    'visitor_id': ['visitor_id'], 'order_id': ['order_id']
} %}
{% set money = {
    'crm.opportunities': 'amount', 'shop.orders': 'total_amount', 'shop.order_lines': 'coalesce(line_amount, ' ~ at_price('quantity', 'unit_price') ~ ')',
    'shop.refunds': 'abs(amount)'
} %}
{% set flawed_models = {'shop.orders': 'base_shop__rated_orders', 'web.events': 'base_web__flawed_events', 'esp.message_events': 'base_esp__flawed_message_events'} %}
with orphan_profiles as (
    select
        events.profile_id,
        coalesce('its profile is ' || marked.gone_because, 'its profile is not kept') as reason
    from {{ ref('profile_event_counts') }} as events
    left join {{ marked_keys(ref('base_esp__profiles'), 'profile_id') }} as marked on events.profile_id = marked.profile_id
    left join {{ ref('record_customers') }} as profiles
        on profiles.record_type = 'esp_profile' and events.profile_id = profiles.record_id
    left join {{ ref('erased_rows') }} as erased
        on erased.source_name = 'esp' and erased.table_name = 'message_events' and events.profile_id = erased.row_key
    where profiles.record_id is null and erased.row_key is null
),

marked_orders as (
    select * from {{ marked_keys(ref('base_shop__orders'), 'order_id') }} as marked
),

kept_accounts as (
    select record_id from {{ ref('record_customers') }} where record_type = 'shop_customer'
),

kept_profiles as (
    select record_id from {{ ref('record_customers') }} where record_type = 'esp_profile'
),

flawed_rows as (
    {% for source_name, table_name in contract_tables() -%}
    {%- set table = source_name ~ '.' ~ table_name -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        {{ contract_key(source_name, table_name) if execute else 1 }} as row_key,
        coalesce(reject_reason, 'blanked: ' || blanked_columns) as reason,
        reject_reason is null as is_kept,
        cast(round({{ money.get(table, 'null') }}, 2) as decimal(18, 2)) as amount,
        {% for identifier, columns in identifier_columns.items() -%}
        {{ column_of(source_name, table_name, columns) }} as {{ identifier }},
        {% endfor -%}
        {{ row_text(source_name, table_name) }} as row_text,
        refused_values
    from {{ ref(flawed_models.get(table, 'base_' ~ source_name ~ '__' ~ table_name)) }}
    where reject_reason is not null or blanked_columns is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Each table's staged rows without a row in the table that keeps them.
orphan_rows as (
    {% for source_name, table_name, staged, key, kept, kept_key, reason, amount in [
        ('shop', 'customers', 'stg_shop__customers', 'shop_customer_id', 'kept_accounts', 'record_id', 'it is no person', 'null'),
        ('esp', 'profiles', 'stg_esp__profiles', 'profile_id', 'kept_profiles', 'record_id', 'it is no person', 'null'),
        ('shop', 'orders', 'stg_shop__orders', 'order_id', ref('orders'), 'order_id', 'it is of no person', 'staged.total_amount'),
        ('billing', 'subscriptions', 'stg_billing__subscriptions', 'subscription_id', ref('subscriptions'), 'subscription_id', 'its customer is not kept', 'null'),
        ('support', 'tickets', 'stg_support__tickets', 'ticket_id', ref('customer_tickets'), 'ticket_id', 'it is of no person', 'null')
    ] -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        staged.{{ key }} as row_key,
        '{{ reason }}' as reason,
        false as is_kept,
        cast({{ amount }} as decimal(18, 2)) as amount
    from {{ ref(staged) }} as staged
    left join {{ kept }} as kept on staged.{{ key }} = kept.{{ kept_key }}
    left join {{ ref('erased_rows') }} as erased
        on
            erased.source_name = '{{ source_name }}'
            and erased.table_name = '{{ table_name }}'
            and staged.{{ key }} = erased.row_key
    where kept.{{ kept_key }} is null and erased.row_key is null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

orphan_order_rows as (
    {% for table_name, key, reason, amount in [
        ('order_lines', 'order_line_id', 'its order is not kept', 'gross_amount'),
        ('refunds', 'refund_id', 'neither its order nor its customer is kept', 'refund_amount')
    ] -%}
    select
        'shop' as source_name,
        '{{ table_name }}' as table_name,
        staged.{{ key }} as row_key,
        case
            when marked.order_id is not null then 'its order is ' || marked.gone_because
            when orders.order_id is not null then 'its order is of no person'
            else '{{ reason }}'
        end as reason,
        false as is_kept,
        cast(staged.{{ amount }} as decimal(18, 2)) as amount
    from {{ ref('stg_shop__' ~ table_name) }} as staged
    left join {{ ref(table_name) }} as kept on staged.{{ key }} = kept.{{ key }}
    left join marked_orders as marked on staged.order_id = marked.order_id
    left join {{ ref('stg_shop__orders') }} as orders on staged.order_id = orders.order_id
    left join {{ ref('erased_rows') }} as erased
        on erased.source_name = 'shop' and erased.table_name = '{{ table_name }}' and staged.{{ key }} = erased.row_key
    where kept.{{ key }} is null and erased.row_key is null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

orphan_messages as (
    select
        'esp' as source_name,
        'message_events' as table_name,
        events.event_id as row_key,
        orphan_profiles.reason,
        false as is_kept,
        events.message_id as row_text
    from {{ ref('stg_esp__message_events') }} as events
    inner join orphan_profiles on events.profile_id = orphan_profiles.profile_id
),

double_purchases as (
    select
        'web' as source_name,
        'events' as table_name,
        event_id as row_key,
        'purchase of an order that was already counted' as reason,
        false as is_kept,
        order_id,
        'order_id=' || order_id as row_text
    from {{ ref('base_web__double_purchases') }}
),

{% set identifiers = identifier_columns | list -%}
{% set persons = identifiers | reject('equalto', 'order_id') | list -%}
rejections as (
    {{ union_by_name(
        {
            'flawed_rows': [],
            'orphan_rows': identifiers + ['row_text', 'refused_values'],
            'orphan_order_rows': identifiers + ['row_text', 'refused_values'],
            'orphan_messages': identifiers + ['amount', 'refused_values'],
            'double_purchases': persons + ['amount', 'refused_values']
        },
        columns=['source_name', 'table_name', 'row_key', 'reason', 'is_kept', 'amount', 'row_text', 'refused_values'] + identifiers,
        types={'amount': 'decimal(18, 2)'}
    ) }}
),

hashed_rows as (
    select
        rejections.*,
        {% for identifier in persons -%}
        {{ named_hash(identifier, 'rejections.' ~ identifier) }} as {{ identifier }}_hash,
        {% endfor -%}
        {{ mailbox_hash('rejections.mailbox') }} as mailbox_hash
    from {{ with_mailboxes('rejections') }} as rejections
    cross join {{ ref('erasure_salt') }} as salt
),

checked_rows as (
    select
        hashed_rows.*,
        coalesce(
            {%- for identifier in persons %}
            of_{{ identifier }}.identifier_hash,
            {%- endfor %}
            of_mailbox.identifier_hash,
            of_order.row_key
        ) is not null as names_erased
    from hashed_rows
    {% for identifier in persons -%}
    left join {{ ref('erased_identifiers') }} as of_{{ identifier }}
        on hashed_rows.{{ identifier }}_hash = of_{{ identifier }}.identifier_hash
    {% endfor %}
    left join {{ ref('erased_identifiers') }} as of_mailbox on hashed_rows.mailbox_hash = of_mailbox.identifier_hash
    left join {{ ref('erased_rows') }} as of_order
        on of_order.source_name = 'shop' and of_order.table_name = 'orders' and hashed_rows.order_id = of_order.row_key
)

select
    source_name,
    table_name,
    case when not names_erased then row_key end as row_key,
    reason,
    is_kept,
    amount,
    case when not names_erased then row_text end as row_text,
    case when not names_erased then refused_values end as refused_values
from checked_rows
