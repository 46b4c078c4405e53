-- Rows of erased persons are in erased_rows instead. A flawed row that names one has neither key nor text here. A row that
-- depends on one removed by a row mark (macros/staging/marks.sql) has the same reason.
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
{% set records_of = "(select record_id from " ~ ref('record_customers') ~ " where record_type = '" %}
{% set orphans = {
    'shop.customers': ['stg_shop__customers', records_of ~ "shop_customer')", 'shop_customer_id', 'record_id', 'it is no person', none],
    'esp.profiles': ['stg_esp__profiles', records_of ~ "esp_profile')", 'profile_id', 'record_id', 'it is no person', none],
    'shop.orders': ['stg_shop__orders', ref('orders'), 'order_id', 'order_id', 'it is of no person', 'total_amount'],
    'shop.order_lines': ['stg_shop__order_lines', ref('order_lines'), 'order_line_id', 'order_line_id', 'its order is not kept', 'gross_amount'],
    'shop.refunds': ['stg_shop__refunds', ref('refunds'), 'refund_id', 'refund_id', 'neither its order nor its customer is kept', 'refund_amount'],
    'billing.subscriptions': ['stg_billing__subscriptions', ref('subscriptions'), 'subscription_id', 'subscription_id', 'its customer is not kept', none],
    'support.tickets': ['stg_support__tickets', ref('customer_tickets'), 'ticket_id', 'ticket_id', 'it is of no person', none]
} %}
{% set order_tables = ['shop.order_lines', 'shop.refunds'] %}
{% set hashes = [] %}
{% for identifier in identifier_columns if identifier != 'order_id' %}
{% do hashes.append(named_hash(identifier, 'rejections.' ~ identifier) ~ ' as ' ~ identifier ~ '_hash') %}
{% endfor %}

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

rejections as (
    {% for source_name, table_name in contract_tables() -%}
    {%- set table = source_name ~ '.' ~ table_name -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        {{ contract_key(source_name, table_name) if execute else 1 }} as row_key,
        coalesce(reject_reason, 'blanked: ' || blanked_columns) as reason,
        reject_reason is null as is_kept,
        {{ 'cast(round(' ~ money[table] ~ ', 2) as decimal(18, 2))' if table in money else 'cast(null as decimal(18, 2))' }} as amount,
        {% for identifier, columns in identifier_columns.items() -%}
        {{ column_of(source_name, table_name, columns) }} as {{ identifier }},
        {% endfor -%}
        {{ row_text(source_name, table_name) }} as row_text,
        refused_values
    from {{ ref(flawed_models.get(table, 'base_' ~ source_name ~ '__' ~ table_name)) }}
    where reject_reason is not null or blanked_columns is not null
    union all
    {% endfor -%}
    {% for table, orphan in orphans.items() -%}
    {%- set staged, kept, key, kept_key, reason, amount = orphan -%}
    select
        '{{ table.split('.')[0] }}' as source_name,
        '{{ table.split('.')[1] }}' as table_name,
        staged.{{ key }} as row_key,
        {% if table in order_tables -%}
        coalesce(
            'its order is ' || marked.gone_because, case when orders.order_id is not null then 'its order is of no person' else '{{ reason }}' end
        ) as reason,
        {%- else -%}
        '{{ reason }}' as reason,
        {%- endif %}
        false as is_kept,
        {{ 'cast(staged.' ~ amount ~ ' as decimal(18, 2))' if amount else 'cast(null as decimal(18, 2))' }} as amount,
        {% for identifier in identifier_columns -%}
        cast(null as {{ dbt.type_string() }}) as {{ identifier }},
        {% endfor -%}
        cast(null as {{ dbt.type_string() }}) as row_text,
        cast(null as {{ dbt.type_string() }}) as refused_values
    from {{ ref(staged) }} as staged
    left join {{ kept }} as kept on staged.{{ key }} = kept.{{ kept_key }}
    {%- if table in order_tables %}
    left join marked_orders as marked on staged.order_id = marked.order_id
    left join {{ ref('stg_shop__orders') }} as orders on staged.order_id = orders.order_id
    {%- endif %}
    left join {{ ref('erased_rows') }} as erased
        on
            erased.source_name = '{{ table.split('.')[0] }}'
            and erased.table_name = '{{ table.split('.')[1] }}'
            and staged.{{ key }} = erased.row_key
    where kept.{{ kept_key }} is null and erased.row_key is null
    union all
    {% endfor -%}
    select
        'esp' as source_name,
        'message_events' as table_name,
        events.event_id as row_key,
        orphan_profiles.reason,
        false as is_kept,
        cast(null as decimal(18, 2)) as amount,
        {% for identifier in identifier_columns -%}
        cast(null as {{ dbt.type_string() }}) as {{ identifier }},
        {% endfor -%}
        events.message_id as row_text,
        cast(null as {{ dbt.type_string() }}) as refused_values
    from {{ ref('stg_esp__message_events') }} as events
    inner join orphan_profiles on events.profile_id = orphan_profiles.profile_id
    union all
    select
        'web' as source_name,
        'events' as table_name,
        event_id as row_key,
        'purchase of an order that was already counted' as reason,
        false as is_kept,
        cast(null as decimal(18, 2)) as amount,
        {% for identifier in identifier_columns -%}
        {{ 'order_id' if identifier == 'order_id' else 'cast(null as ' ~ dbt.type_string() ~ ') as ' ~ identifier }},
        {% endfor -%}
        'order_id=' || order_id as row_text,
        cast(null as {{ dbt.type_string() }}) as refused_values
    from {{ ref('base_web__double_purchases') }}
),

hashed_rows as (
    select
        rejections.*,
        {{ hashes | join(',\n        ') }},
        {{ mailbox_hash('rejections.mailbox') }} as mailbox_hash
    from {{ with_mailboxes('rejections') }} as rejections
    cross join {{ ref('erasure_salt') }} as salt
),

checked_rows as (
    select
        hashed_rows.*,
        coalesce(
            {%- for identifier in identifier_columns if identifier != 'order_id' %}
            of_{{ identifier }}.identifier_hash,
            {%- endfor %}
            of_mailbox.identifier_hash,
            of_order.row_key
        ) is not null as names_erased
    from hashed_rows
    {% for identifier in identifier_columns if identifier != 'order_id' -%}
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
