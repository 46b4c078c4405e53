{# A ledger of mailroom push or pull as a relation with ledger_columns(). Its folder may be empty or missing. #}
{% macro read_ledger(ledger) %}{{ return(adapter.dispatch('read_ledger', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__read_ledger(ledger) %}{{ no_engine('read_ledger') }}{% endmacro %}

{% macro duckdb__read_ledger(ledger) -%}
    {%- if is_ledger_empty(ledger) -%}
        {{ no_ledger(ledger) }}
    {%- else -%}
        (
            select * from {{ no_ledger(ledger) }} as of_an_earlier_version
            union all by name
            select * from read_parquet('{{ activation_folder() }}/{{ ledger }}/*.parquet', union_by_name = true)
        )
    {%- endif -%}
{%- endmacro %}

{% macro spark__read_ledger(ledger) -%}
    {%- set table = target.schema ~ '.ledger_' ~ ledger -%}
    {%- if execute -%}
        {%- set folder = activation_folder() ~ '/' ~ ledger -%}
        {#- Spark resolves a relative folder from its database's location. -#}
        {%- if not folder.startswith('/') and '://' not in folder -%}
            {%- set folder = invocation_args_dict.project_dir ~ '/' ~ folder -%}
        {%- endif -%}
        {%- set column_types = [] -%}
        {%- for name, data_type in ledger_columns(ledger).items() -%}{%- do column_types.append(name ~ ' ' ~ data_type) -%}{%- endfor -%}
        {%- do run_query('create table if not exists ' ~ table ~ ' (' ~ column_types | join(', ') ~ ") using parquet location '" ~ folder ~ "'") -%}
        {%- do run_query('refresh table ' ~ table) -%}
    {%- endif -%}
    {{ table }}
{%- endmacro %}

{# mailroom push and pull do not support Snowflake and BigQuery yet: their ledgers are local files, which neither can read. #}
{% macro snowflake__read_ledger(ledger) %}{{ return(no_ledger(ledger)) }}{% endmacro %}

{% macro bigquery__read_ledger(ledger) %}{{ return(no_ledger(ledger)) }}{% endmacro %}

{% macro no_ledger(ledger) -%}
    (select {% for name, data_type in ledger_columns(ledger).items() %}cast(null as {{ data_type }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %} from (select 1 as one) as nothing where 1 = 0)
{%- endmacro %}


{% macro is_ledger_empty(ledger) %}{{ return(adapter.dispatch('is_ledger_empty', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__is_ledger_empty(ledger) %}{{ no_engine('is_ledger_empty') }}{% endmacro %}

{% macro duckdb__is_ledger_empty(ledger) %}
    {{ return(not execute or run_query("select count(*) from glob('" ~ activation_folder() ~ '/' ~ ledger ~ "/*.parquet')")[0][0] == 0) }}
{% endmacro %}

{% macro spark__is_ledger_empty(ledger) %}
    {{ return(not execute or run_query('select 1 from ' ~ read_ledger(ledger) ~ ' limit 1') | length == 0) }}
{% endmacro %}

{% macro snowflake__is_ledger_empty(ledger) %}{{ return(true) }}{% endmacro %}

{% macro bigquery__is_ledger_empty(ledger) %}{{ return(true) }}{% endmacro %}
