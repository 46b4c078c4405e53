{# A visit of a visitor; where the site names no session, a day of theirs. #}
{% macro session_key() -%}
    coalesce(session_id, cast(cast(occurred_at as date) as {{ dbt.type_string() }}))
{%- endmacro %}


{# The first day of which anything asks for the products that were looked at: training looks back from a past moment. #}
{% macro looked_since() -%}
    cast({{ dbt.dateadd('day', -(var('interest_days') + var('churn_days') + 1), as_of()) }} as date)
{%- endmacro %}
