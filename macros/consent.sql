{# What stands in consent_history.purpose where an answer closes more than one; see seed consent_purposes. #}
{% macro every_marketing_purpose() -%}every marketing purpose{%- endmacro %}
{% macro every_signalled_purpose() -%}every purpose of an opt-out signal{%- endmacro %}
{% macro every_purpose() -%}every purpose{%- endmacro %}
