{# The codes of rejected messages that may have arrived, as push writes them. A test compares them with its own. #}
{% macro unclear_codes() -%}
    ('job_lost', 'no_answer', 'not_understood')
{%- endmacro %}
