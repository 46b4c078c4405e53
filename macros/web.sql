{# A session of a visitor; where the site names no session, a day of theirs. #}
{% macro session_key() -%}
    coalesce(session_id, cast({{ day_of('occurred_at') }} as {{ dbt.type_string() }}))
{%- endmacro %}


{# The first day of which anything asks for the products that were looked at: training looks back from a past moment. #}
{% macro viewed_since() -%}
    {{ days_before(as_of_day(), var('interest_days') + var('churn_days') + 1) }}
{%- endmacro %}


{# The first day of which anything asks for what is in a cart: customers.has_open_cart_90d. #}
{% macro carts_since() -%}
    {{ days_before(as_of_day(), 90) }}
{%- endmacro %}
