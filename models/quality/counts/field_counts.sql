-- One pass over each public table: a rollup counts the whole table and each source at once.
{%- set tables = [
    'customer_id_changes', 'customer_keys', 'customers', 'orders', 'order_lines', 'refunds', 'revenue_bridge', 'subscriptions', 'products',
    'email_events', 'customer_daily_activity', 'customer_categories', 'customer_products',
] %}
{%- set entries = field_entries() %}
{%- do check_none_missing(tables, entries) %}
with dictionary as (
    select
        model_name,
        column_name
    from {{ ref('field_dictionary') }}
),

{% for table in tables -%}
{{ table }}_totals as (
    {{ field_totals(table, ref(table), entries | selectattr('model_name', 'equalto', table) | list) }}
),

{% endfor -%}
all_totals as (
    {% for table in tables -%}
    {{ totals_by_field(table, entries | selectattr('model_name', 'equalto', table) | list) }}
    {%- if not loop.last %}
    union all
    {% endif -%}
    {% endfor %}
)

select
    model_name,
    column_name,
    source,
    n_rows,
    n_filled,
    n_valid,
    n_distinct,
    newest_at
from all_totals
