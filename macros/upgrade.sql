{#
0.2.0 keeps what people do not read in a schema of its own, and has other names for some tables: docs/renames.md. Ledgers move
there with what they know, once; all else of these names is built again.

    dbt run-operation upgrade
#}
{% macro upgrade() %}
    {%- for node in models_that_moved() -%}
        {%- set new = relation_of(node.name) -%}
        {%- set old = adapter.get_relation(target.database, target.schema, former_name(node.name)) -%}
        {%- set there = adapter.get_relation(new.database, new.schema, new.identifier) -%}
        {%- if old -%}
            {#- suppression_funnel was made of the ledger that it is now. -#}
            {%- if there and node.name == 'suppression_funnel' -%}{%- do adapter.drop_relation(there) -%}{%- endif -%}
            {%- if node.config.materialized == 'incremental' and (not there or node.name == 'suppression_funnel') -%}
                {%- do adapter.create_schema(new) -%}
                {%- do move_rows(old, new, upgraded_columns(node.name, old)) -%}
            {%- endif -%}
            {%- do adapter.drop_relation(old) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- Two of its columns have other names; it is made of events that are still there. -#}
    {%- set product_days = relation_of('stg_web__product_days') -%}
    {%- set product_days = adapter.get_relation(product_days.database, product_days.schema, product_days.identifier) -%}
    {%- if product_days and adapter.get_columns_in_relation(product_days) | selectattr('name', 'equalto', 'looked_on') | list -%}
        {%- do adapter.drop_relation(product_days) -%}
    {%- endif -%}
    {#- Tables that hooks write. -#}
    {%- set internal = relation_of('customer_key_log') -%}
    {%- for name in ['build_failures', 'customer_daily_activity_owners'] -%}
        {%- set old = adapter.get_relation(target.database, target.schema, name) -%}
        {%- if old -%}
            {%- set new = internal.incorporate(path={'identifier': name}) -%}
            {%- do move_rows(old, new, '*') -%}
            {%- do adapter.drop_relation(old) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- Models that others have taken in. -#}
    {%- for name in [
        'suppression_counts', 'segment_fields', 'product_rankings', 'product_outcomes', 'unmapped_categories', 'unmapped_countries'
    ] -%}
        {%- set old = adapter.get_relation(target.database, target.schema, name) -%}
        {%- if old -%}{%- do adapter.drop_relation(old) -%}{%- endif -%}
    {%- endfor -%}
    {%- do commit() -%}
{% endmacro %}


{% macro move_rows(old, new, columns) %}
    {%- do run_query('create table ' ~ new ~ ' as select ' ~ columns ~ ' from ' ~ old) -%}
    {%- do log(old ~ ' is now ' ~ new, info=true) -%}
{% endmacro %}


{# Stop a build that would begin its ledgers again: customer ids, erasures and consent would be lost. #}
{% macro stop_before_upgrade() %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set log_of_ids = relation_of('customer_key_log') -%}
        {%- if (log_of_ids.schema, log_of_ids.identifier) != (target.schema, 'customer_key_log')
            and load_cached_relation(log_of_ids.incorporate(path={'schema': target.schema})) and not load_cached_relation(log_of_ids) -%}
            {{ exceptions.raise_compiler_error(
                target.schema ~ '.customer_key_log is of a version before 0.2.0. Run once: dbt run-operation upgrade (docs/renames.md)'
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{# Models that stood in the schema of the target, and stand in another or under another name now. #}
{% macro models_that_moved() %}
    {%- set moved = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.package_name == 'mailroom' -%}
        {%- if node.name == 'suppression_funnel' or node.schema != target.schema and node.schema.endswith('_internal') -%}
            {%- do moved.append(node) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(moved) }}
{% endmacro %}


{# The name that a model had before 0.2.0. #}
{% macro former_name(name) %}
    {{ return({
        'attribution_changes': 'owner_changes',
        'attribution_keys': 'history_owners',
        'certain_clusters': 'sure_clusters',
        'consent_event_customers': 'answer_customers',
        'consent_event_effects': 'consent_answers',
        'consent_event_subjects': 'answer_subjects',
        'crowd_consent_events': 'crowd_answers',
        'customer_active_hours': 'customer_hours',
        'customer_message_counts': 'customer_messages',
        'customer_shop_days': 'customer_recounted_days',
        'legal_hold_customers': 'held_customers',
        'privacy_request_identifiers': 'named_identifiers',
        'privacy_request_matches': 'named_customers',
        'product_interaction_days': 'product_looks',
        'purchase_history_groups': 'purchase_histories',
        'suppression_funnel': 'suppression_count_log',
        'web_sessions': 'web_visits',
    }.get(name, name)) }}
{% endmacro %}


{# The columns of a ledger, with what it calls a segment that has another name now. #}
{% macro upgraded_columns(name, old) %}
    {%- set columns = [] -%}
    {%- for column in adapter.get_columns_in_relation(old) -%}
        {%- set value = "case " ~ column.name ~ " when 'new_subscriber' then 'never_purchased' else " ~ column.name ~ " end as " ~ column.name -%}
        {%- do columns.append(value if name == 'segment_changes' and column.name == 'segment' else column.name) -%}
    {%- endfor -%}
    {{ return(columns | join(', ')) }}
{% endmacro %}
