{% macro text_as_json(expression) %}{{ return(adapter.dispatch('text_as_json', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__text_as_json(expression) %}{{ no_engine('text_as_json') }}{% endmacro %}

{% macro duckdb__text_as_json(expression) -%}
    cast(to_json(cast({{ expression }} as varchar)) as varchar)
{%- endmacro %}

{# Spark writes objects only: {"v":"…"}, and {} for null. #}
{% macro spark__text_as_json(expression) -%}
    case
        when {{ expression }} is not null
            then
                substr(
                    to_json(named_struct('v', cast({{ expression }} as string))), 6,
                    length(to_json(named_struct('v', cast({{ expression }} as string)))) - 6
                )
    end
{%- endmacro %}

{% macro snowflake__text_as_json(expression) -%}
    to_json(to_variant(cast({{ expression }} as string)))
{%- endmacro %}

{# BigQuery writes null as the text null. #}
{% macro bigquery__text_as_json(expression) -%}
    case when {{ expression }} is not null then to_json_string(cast({{ expression }} as string)) end
{%- endmacro %}


{# Texts with a separator between them, without nulls. If all are null, the result is empty. #}
{% macro joined(separator, texts) %}{{ return(adapter.dispatch('joined', 'mailroom')(separator, texts)) }}{% endmacro %}

{% macro default__joined(separator, texts) %}{{ no_engine('joined') }}{% endmacro %}

{% macro duckdb__joined(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}

{% macro spark__joined(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}

{# Snowflake's concat_ws is null if one text is null. BigQuery has none. #}
{% macro snowflake__joined(separator, texts) -%}
    array_to_string(array_construct_compact({{ texts | join(', ') }}), '{{ separator }}')
{%- endmacro %}

{% macro bigquery__joined(separator, texts) -%}
    array_to_string([{{ texts | join(', ') }}], '{{ separator }}')
{%- endmacro %}


{# Letters to insert, delete or change to turn one text into another (Levenshtein). #}
{% macro edit_distance(one, other) %}{{ return(adapter.dispatch('edit_distance', 'mailroom')(one, other)) }}{% endmacro %}

{% macro default__edit_distance(one, other) %}{{ no_engine('edit_distance') }}{% endmacro %}

{% macro duckdb__edit_distance(one, other) -%}
    levenshtein({{ one }}, {{ other }})
{%- endmacro %}

{% macro spark__edit_distance(one, other) -%}
    levenshtein({{ one }}, {{ other }})
{%- endmacro %}

{% macro snowflake__edit_distance(one, other) -%}
    editdistance({{ one }}, {{ other }})
{%- endmacro %}

{% macro bigquery__edit_distance(one, other) -%}
    edit_distance({{ one }}, {{ other }})
{%- endmacro %}


{# The letters of a text, sorted: Anna gives Aann. #}
{% macro sorted_letters(expression) %}{{ return(adapter.dispatch('sorted_letters', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__sorted_letters(expression) %}{{ no_engine('sorted_letters') }}{% endmacro %}

{% macro duckdb__sorted_letters(expression) -%}
    array_to_string(list_sort(string_split({{ expression }}, '')), '')
{%- endmacro %}

{% macro spark__sorted_letters(expression) -%}
    array_join(array_sort(split({{ expression }}, '')), '')
{%- endmacro %}

{% macro snowflake__sorted_letters(expression) -%}
    array_to_string(array_sort(split(regexp_replace({{ expression }}, '(.)', '\\1 '), ' ')), '')
{%- endmacro %}

{% macro bigquery__sorted_letters(expression) -%}
    (select string_agg(letter, '' order by letter) from unnest(split({{ expression }}, '')) as letter)
{%- endmacro %}


{# The texts of a group, joined in the order of another column. #}
{% macro joined_in_order(text, place, delimiter) %}{{ return(adapter.dispatch('joined_in_order', 'mailroom')(text, place, delimiter)) }}{% endmacro %}

{% macro default__joined_in_order(text, place, delimiter) %}{{ no_engine('joined_in_order') }}{% endmacro %}

{% macro duckdb__joined_in_order(text, place, delimiter) -%}
    string_agg({{ text }}, '{{ delimiter }}' order by {{ place }})
{%- endmacro %}

{% macro spark__joined_in_order(text, place, delimiter) -%}
    array_join(transform(array_sort(collect_list(struct({{ place }} as place, {{ text }} as text))), one -> one.text), '{{ delimiter }}')
{%- endmacro %}

{% macro snowflake__joined_in_order(text, place, delimiter) -%}
    listagg({{ text }}, '{{ delimiter }}') within group (order by {{ place }})
{%- endmacro %}

{% macro bigquery__joined_in_order(text, place, delimiter) -%}
    string_agg({{ text }}, '{{ delimiter }}' order by {{ place }})
{%- endmacro %}
