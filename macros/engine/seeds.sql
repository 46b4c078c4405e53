{#
Spark reads a seed's CSV file directly, because dbt-spark's insert … values takes minutes. Every column must have a type in
column_types. An empty field is null.
#}
{% materialization seed, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set old_relation = load_cached_relation(this) -%}
    {%- set rows = read_files(model.root_path ~ '/' ~ model.original_file_path) -%}
    {%- set column_types = config.get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for column in relation_columns(rows) -%}
        {%- if column.name not in column_types -%}
            {{ exceptions.raise_compiler_error(
                "seed " ~ model.name ~ ": column " ~ column.name ~ " has no type. Add it to config.column_types."
            ) }}
        {%- endif -%}
        {%- do columns.append('cast(' ~ column.name ~ ' as ' ~ column_types[column.name] ~ ') as ' ~ column.name) -%}
    {%- endfor -%}

    {{ run_hooks(pre_hooks) }}
    {% do store_result('agate_table', response='OK') %}
    {% if old_relation %}{% do adapter.drop_relation(old_relation) %}{% endif %}
    {% call statement('main') -%}
        {{ create_table_as(false, target_relation, 'select ' ~ columns | join(', ') ~ ' from ' ~ rows) }}
    {%- endcall %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
