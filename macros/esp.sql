{# Mail that was refused: by the person, or by their mailbox. A no is never too late, so these are read whole in each build. #}
{% macro is_refusal() -%}
    event_type in ('bounced', 'complained', 'unsubscribed')
{%- endmacro %}
