{# Values of consent_history.purpose for an opt-out of several purposes at once; see seed consent_purposes. #}
{% macro every_marketing_purpose() -%}every marketing purpose{%- endmacro %}
{% macro every_signalled_purpose() -%}every purpose of an opt-out signal{%- endmacro %}
{% macro every_purpose() -%}every purpose{%- endmacro %}


{# The content of a consent event as one text. Rows with equal content are one event. relation: the columns' table alias. #}
{% macro consent_content(relation=none) %}
    {%- set values = [] -%}
    {%- for column in [
        'source_system', 'source_key', 'email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id', 'channel',
        'purpose', 'consent_status', 'lawful_basis', 'recorded_by', 'form', 'text_version', 'confirmed_at', 'occurred_at'
    ] -%}
        {%- do values.append(
            "coalesce(cast(" ~ (relation ~ '.' if relation else '') ~ column ~ " as " ~ dbt.type_string() ~ "), '')"
        ) -%}
    {%- endfor -%}
    {{ return(values | join(" || '/' || ")) }}
{% endmacro %}


{# Key of a rejected row. Several rejected rows may share one source key, so their content is part of it. #}
{% macro set_aside_key(row_key, columns) -%}
    {%- set values = ["'set aside'", row_of("coalesce(" ~ row_key ~ ", '')"), row_key] -%}
    {%- for column in columns -%}
        {%- do values.append('cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')') -%}
    {%- endfor -%}
    {{ joined('/', values) }}
{%- endmacro %}

{% macro is_set_aside(source_key) -%}{{ source_key }} like 'set aside/%'{%- endmacro %}

{# Hash of the source key of a consent event. A rejected row has the same hash as the kept row with its key. #}
{% macro row_of(source_key) -%}
    case when {{ is_set_aside(source_key) }} then substr({{ source_key }}, 11, 32) else {{ dbt.hash(source_key) }} end
{%- endmacro %}


{# Whether a base model blanked this column of the row, because its text is not a value of the type. #}
{% macro is_blanked(column) -%}
    coalesce(', ' || blanked_columns || ',' like '%, {{ column }},%', false)
{%- endmacro %}


{# Status of a row that states no consent, either not yet or not any more. #}
{% macro not_said() -%}not said{%- endmacro %}

{# The values of consent_event_effects.void_because that consents compares. #}
{% macro waits_for_confirmation() -%}it is not confirmed yet{%- endmacro %}
{% macro names_no_address() -%}it names no address{%- endmacro %}
{% macro for_another_address() -%}it was given for an address other than the current one{%- endmacro %}


{# Placeholder for an unreadable date. It predates every shop: an opt-out counts from today, an opt-in does not count. #}
{% macro unreadable_date() -%}cast('1900-01-01' as timestamp){%- endmacro %}
