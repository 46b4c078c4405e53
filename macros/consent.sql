{# What stands in consent_history.purpose where an answer closes more than one; see seed consent_purposes. #}
{% macro every_marketing_purpose() -%}every marketing purpose{%- endmacro %}
{% macro every_signalled_purpose() -%}every purpose of an opt-out signal{%- endmacro %}
{% macro every_purpose() -%}every purpose{%- endmacro %}


{# What an answer says, as one text: two rows with the same are one answer. relation: what the columns are of. #}
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


{# Key of a row that staging set aside. Several may have the key of one row, so what they say is part of it. #}
{% macro set_aside_key(row_key, columns) -%}
    {%- set values = ["'set aside'", row_of("coalesce(" ~ row_key ~ ", '')"), row_key] -%}
    {%- for column in columns -%}
        {%- do values.append('cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')') -%}
    {%- endfor -%}
    {{ joined('/', values) }}
{%- endmacro %}

{% macro is_set_aside(source_key) -%}{{ source_key }} like 'set aside/%'{%- endmacro %}

{# The row of its system that an answer is of, as a hash: the same for all that were given its key. #}
{% macro row_of(source_key) -%}
    case when {{ is_set_aside(source_key) }} then substr({{ source_key }}, 11, 32) else {{ dbt.hash(source_key) }} end
{%- endmacro %}


{# Whether a base model has blanked a column of this row: it held a text that is not a value of its type. #}
{% macro is_blanked(column) -%}
    coalesce(', ' || blanked_columns || ',' like '%, {{ column }},%', false)
{%- endmacro %}


{# Status of a row in a system that records consent and says nothing of it, any more or yet. #}
{% macro not_said() -%}not said{%- endmacro %}

{# What consent_event_effects says of a yes that opens nothing, where consents asks. #}
{% macro waits_for_confirmation() -%}it waits for its confirmation{%- endmacro %}
{% macro names_no_address() -%}it names no address{%- endmacro %}
{% macro for_another_address() -%}it was given for another address than the one to write to{%- endmacro %}


{# Stands for a date that can't be read: before every shop was founded, so that a no counts from today and a yes does not. #}
{% macro unreadable_date() -%}cast('1900-01-01' as timestamp){%- endmacro %}
