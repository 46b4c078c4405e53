-- Rows in and rows kept are counted independently, never derived from each other. Shop amounts are compared as the source
-- gives them. Public tables have them in the shop's currency.
{% set tables = contract_tables() %}
{% set money = {
    'crm.opportunities': 'amount', 'shop.orders': 'total_amount', 'shop.order_lines': 'coalesce(line_amount, ' ~ at_price('quantity', 'unit_price') ~ ')',
    'shop.refunds': 'abs(amount)'
} %}
{% set kept_money = {
    'crm.opportunities': 'amount', 'shop.orders': 'total_amount', 'shop.order_lines': 'gross_amount',
    'shop.refunds': 'refund_amount'
} %}

with outcome_counts as (
    {% for source_name, table_name in tables -%}
    {%- set table = source_name ~ '.' ~ table_name -%}
    {%- set key = contract_key(source_name, table_name) if execute else 'key' -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        'in' as outcome,
        cast(null as {{ dbt.type_string() }}) as reason,
        count(*) as n_rows,
        {{ 'sum(' ~ raw_amount(source_name, table_name, money[table]) ~ ')' if table in money else 'cast(null as ' ~ wide_decimal(38, 2) ~ ')' }} as amount
    from {{ raw(source_name, table_name) }} as raw_rows
    union all
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        'kept' as outcome,
        cast(null as {{ dbt.type_string() }}) as reason,
        {% if table == 'web.events' -%}
        coalesce(sum(n_events), 0) as n_rows,
        {%- elif table == 'esp.message_events' -%}
        coalesce(sum(case when profiles.record_id is not null then events.n_events end), 0) as n_rows,
        {%- else -%}
        count(*) as n_rows,
        {%- endif %}
        {{ 'sum(staged.' ~ kept_money[table] ~ ')' if table in money else 'cast(null as ' ~ wide_decimal(38, 2) ~ ')' }} as amount
    {% if table == 'web.events' -%}
    from {{ ref('stg_web__sessions') }} as sessions
    inner join {{ ref('visitor_customers') }} as visitors on sessions.visitor_id = visitors.visitor_id
    {%- elif table == 'esp.message_events' -%}
    from {{ ref('profile_event_counts') }} as events
    left join {{ ref('record_customers') }} as profiles
        on profiles.record_type = 'esp_profile' and events.profile_id = profiles.record_id
    {%- else -%}
    {{ kept_rows(source_name, table_name) }}
    {%- endif %}
    union all
    {% endfor -%}
    select
        source_name,
        table_name,
        'set aside' as outcome,
        reason,
        count(*) as n_rows,
        sum(amount) as amount
    from {{ ref('rejected_rows') }}
    where not is_kept
    group by source_name, table_name, reason
    union all
    select
        source_name,
        table_name,
        'set aside' as outcome,
        'of an erased person' as reason,
        sum(n_rows) as n_rows,
        sum(amount) as amount
    from {{ ref('erased_rows') }}
    group by source_name, table_name
)

select
    source_name,
    table_name,
    outcome,
    reason,
    cast(n_rows as bigint) as n_rows,
    cast(amount as decimal(18, 2)) as amount
from outcome_counts
