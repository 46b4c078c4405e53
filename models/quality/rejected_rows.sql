-- Every row that staging or a floor above it set aside, and every row that lost a value, with the row itself.
{% set money = {
    'crm.opportunities': 'amount', 'shop.orders': 'total_amount', 'shop.order_lines': 'quantity * unit_price',
    'shop.refunds': 'amount'
} %}
{% set flawed_in = {'web.events': 'base_web__flawed_events', 'esp.message_events': 'base_esp__flawed_message_events'} %}
{% set orphans = {
    'shop.orders': ['stg_shop__orders', 'orders', 'order_id', 'its customer is not kept', 'total_amount'],
    'shop.order_lines': ['stg_shop__order_lines', 'order_lines', 'order_line_id', 'its order is not kept', 'gross_amount'],
    'shop.refunds': ['stg_shop__refunds', 'refunds', 'refund_id', 'neither its order nor its customer is kept', 'refund_amount'],
    'support.tickets': ['stg_support__tickets', 'customer_tickets', 'ticket_id', 'its customer is not kept', none]
} %}

with orphan_profiles as (
    select distinct days.profile_id
    from {{ ref('stg_esp__profile_days') }} as days
    left join {{ ref('record_customers') }} as profiles
        on profiles.record_type = 'esp_profile' and days.profile_id = profiles.record_id
    where profiles.record_id is null
),

rejected as (
    {% for source_name, table_name in contract_tables() -%}
    {%- set table = source_name ~ '.' ~ table_name -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        {{ contract_key(source_name, table_name) if execute else 1 }} as row_key,
        coalesce(reject_reason, 'blanked: ' || blanked_columns) as reason,
        reject_reason is null as is_kept,
        {{ 'cast(round(' ~ money[table] ~ ', 2) as decimal(18, 2))' if table in money else 'cast(null as decimal(18, 2))' }} as amount,
        {{ row_text(source_name, table_name) }} as row_text
    from {{ ref(flawed_in.get(table, 'base_' ~ source_name ~ '__' ~ table_name)) }}
    where reject_reason is not null or blanked_columns is not null
    union all
    {% endfor -%}
    {% for table, orphan in orphans.items() -%}
    select
        '{{ table.split('.')[0] }}' as source_name,
        '{{ table.split('.')[1] }}' as table_name,
        staged.{{ orphan[2] }} as row_key,
        '{{ orphan[3] }}' as reason,
        false as is_kept,
        {{ 'cast(staged.' ~ orphan[4] ~ ' as decimal(18, 2))' if orphan[4] else 'cast(null as decimal(18, 2))' }} as amount,
        cast(null as {{ dbt.type_string() }}) as row_text
    from {{ ref(orphan[0]) }} as staged
    left join {{ ref(orphan[1]) }} as kept on staged.{{ orphan[2] }} = kept.{{ orphan[2] }}
    where kept.{{ orphan[2] }} is null
    union all
    {% endfor -%}
    select
        'esp' as source_name,
        'message_events' as table_name,
        events.event_id as row_key,
        'its profile is not kept' as reason,
        false as is_kept,
        cast(null as decimal(18, 2)) as amount,
        events.message_id as row_text
    from {{ ref('base_esp__message_events') }} as events
    inner join orphan_profiles on events.profile_id = orphan_profiles.profile_id
    where events.reject_reason is null
    union all
    select
        'web' as source_name,
        'events' as table_name,
        event_id as row_key,
        'purchase of an order that was already counted' as reason,
        false as is_kept,
        cast(null as decimal(18, 2)) as amount,
        'order_id=' || order_id as row_text
    from {{ ref('base_web__double_purchases') }}
)

select
    source_name,
    table_name,
    row_key,
    reason,
    is_kept,
    amount,
    row_text
from rejected
