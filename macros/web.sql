{# The session key of a web event. If the site gives no session, each day of a visitor is one session. #}
{% macro session_key() -%}
    coalesce(session_id, cast({{ day_of('occurred_at') }} as {{ dbt.type_string() }}))
{%- endmacro %}


{# The first day for which a model needs product views. Training looks back from a past moment. #}
{% macro viewed_since() -%}
    {{ days_before(as_of_day(), var('interest_days') + var('churn_days') + 1) }}
{%- endmacro %}


{# The first day for which a model needs cart contents: customers.has_open_cart_90d. #}
{% macro carts_since() -%}
    {{ days_before(as_of_day(), 90) }}
{%- endmacro %}
