{# A field as JSON in audiences that carry it, null in others. Needs columns audience and is_ai_personalisation_allowed. #}
{% macro carried_json(field, audiences) -%}
    case
        {%- for audience in audiences if field.column_name in audience.fields %}
        when
            audience = '{{ audience.audience }}'
            {{- ' and is_ai_personalisation_allowed' if carried_with(field, audience) != 'everybody' }}
            then {{ field_json(field) }}
        {%- else %}
        when false then ''
        {%- endfor %}
    end
{%- endmacro %}


{# A field's value as JSON, else its fallback, else null. Needs column language_code. #}
{% macro field_json(field) -%}
    {%- set name = field.column_name -%}
    {%- set value = text_as_json(name) if field.data_type in ('string', 'date') else 'cast(' ~ name ~ ' as ' ~ dbt.type_string() ~ ')' -%}
    {%- set fallback = field.get('fallback') -%}
    {%- if fallback is mapping -%}
        coalesce({{ value }}, case language_code
            {%- for language, text in fallback.items() if language != 'other' %}
            when '{{ language }}' then {{ dbt.string_literal(dbt.escape_single_quotes(tojson(text))) }}
            {%- endfor %}
            else {{ dbt.string_literal(dbt.escape_single_quotes(tojson(fallback.other))) }}
        end)
    {%- elif fallback is not none and fallback is defined -%}
        coalesce({{ value }}, {{ dbt.string_literal(dbt.escape_single_quotes(tojson(fallback))) }})
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{# A JSON object of customer_id and these expressions. Each returns '"name": ' with JSON, or null to leave it out. #}
{% macro object_as_json(customer_id, pieces) -%}
    '{' || {{ joined(', ', ["'\"customer_id\": ' || " ~ text_as_json(customer_id)] + pieces) }} || '}'
{%- endmacro %}
