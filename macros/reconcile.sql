{# The tables of the source contract, checked against the source YAML for completeness. #}
{% macro contract_tables() %}
    {%- set tables = [
        ('crm', 'contacts'), ('crm', 'opportunities'),
        ('shop', 'customers'), ('shop', 'products'), ('shop', 'orders'), ('shop', 'order_lines'), ('shop', 'refunds'),
        ('web', 'events'), ('support', 'tickets'),
        ('esp', 'profiles'), ('esp', 'campaigns'), ('esp', 'message_events'),
        ('privacy', 'consent_events'), ('privacy', 'requests'), ('billing', 'subscriptions'), ('billing', 'subscription_orders'),
        ('deliverability', 'domain_stats'), ('deliverability', 'ip_stats'), ('deliverability', 'dmarc_reports')
    ] -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.package_name == 'mailroom' and (node.source_name, node.name) not in tables -%}
            {{ exceptions.raise_compiler_error(
                "contract_tables() in macros/reconcile.sql has no " ~ node.source_name ~ "." ~ node.name ~ ". Add it there."
            ) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(tables) }}
{% endmacro %}


{# The columns that seed source_words maps, each as (source, table, column). #}
{% macro worded_columns() %}
    {%- if not execute -%}{{ return([('shop', 'orders', 'status')]) }}{%- endif -%}
    {%- set columns = [] -%}
    {%- for source_name, table_name in contract_tables() -%}
        {%- for column in contract_columns(source_name, table_name) if column.meta.words and not column.meta.or_from and not column.meta.open -%}
            {%- do columns.append((source_name, table_name, column.name)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}


{#
kept_rows: the kept rows of a contract table, as `from …`. kept_key: the name of their key. The two tables of events only have
counts.
#}
{% macro kept_key(source_name, table_name) %}
    {{ return('staged.shop_customer_id' if (source_name, table_name) == ('shop', 'customers') else 'staged.' ~ contract_key(source_name, table_name)) }}
{% endmacro %}

{% macro kept_rows(source_name, table_name) -%}
    {%- set table = source_name ~ '.' ~ table_name -%}
    {%- set record_type = {'crm.contacts': 'crm_contact', 'shop.customers': 'shop_customer', 'esp.profiles': 'esp_profile'}.get(table) -%}
    {%- set kept_in = {
        'shop.orders': 'orders', 'shop.order_lines': 'order_lines', 'shop.refunds': 'refunds', 'support.tickets': 'customer_tickets', 'billing.subscriptions': 'subscriptions'
    } -%}
    from {{ ref('stg_' ~ source_name ~ '__' ~ table_name) }} as staged
    {%- if table in kept_in %}
    inner join {{ ref(kept_in[table]) }} as kept on {{ kept_key(source_name, table_name) if execute else 'true' }} = kept.{{ contract_key(source_name, table_name) if execute else 'true' }}
    {%- elif record_type %}
    inner join {{ ref('record_customers') }} as records
        on records.record_type = '{{ record_type }}' and {{ kept_key(source_name, table_name) if execute else 'true' }} = records.record_id
    {%- elif table == 'crm.opportunities' %}
    left join {{ ref('erased_records') }} as erased
        on erased.record_type = 'crm_contact' and staged.contact_id = erased.record_id
    where erased.record_id is null
    {%- endif %}
{%- endmacro %}


{#
An amount computed from raw columns, rounded to cents only at the end. Null if one of the columns is not a number.
#}
{% macro raw_amount(source_name, table_name, amount) %}
    {%- if not execute -%}{{ return('1') }}{%- endif -%}
    {%- set raw = namespace(amount=amount) -%}
    {%- for column in raw_columns(source_name, table_name) if column.name in modules.re.findall('[a-z_]+', amount) -%}
        {%- set value = cast_value(dict(column, data_type='decimal(18,6)'), column.name) | trim -%}
        {%- set raw.amount = modules.re.sub('\\b' ~ column.name ~ '\\b', value | replace('\\', '\\\\'), raw.amount) -%}
    {%- endfor -%}
    {{ return('cast(round(' ~ raw.amount ~ ', 2) as decimal(18, 2))') }}
{% endmacro %}


{# The first of the given columns that a contract table has, or null. #}
{% macro column_of(source_name, table_name, names) %}
    {%- if execute -%}
        {%- for column in contract_columns(source_name, table_name) if column.name in names -%}{{ return(column.name) }}{%- endfor -%}
    {%- endif -%}
    {{ return('cast(null as ' ~ dbt.type_string() ~ ')') }}
{% endmacro %}


{# A row of a base model as one text: each filled column with its value. #}
{% macro row_text(source_name, table_name) %}
    {%- if not execute -%}{{ return('1') }}{%- endif -%}
    {%- set pairs = [] -%}
    {%- for column in contract_columns(source_name, table_name) -%}
        {%- do pairs.append("'" ~ column.name ~ "=' || cast(" ~ column.name ~ " as " ~ dbt.type_string() ~ ")") -%}
    {%- endfor -%}
    {{ return(joined('; ', pairs)) }}
{% endmacro %}
