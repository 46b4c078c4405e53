{# One id per postal address: people who share it are a household. Null without street and postal code. #}
{% macro household_id(street, postal_code, country_code) -%}
    {%- set address = replace_pattern("lower(" ~ street ~ " || " ~ postal_code ~ ")", "[ .,/-]") | trim -%}
    case
        when {{ street }} is not null and {{ postal_code }} is not null
            then 'h_' || substr({{ dbt.hash(address ~ " || coalesce(" ~ country_code ~ ", '')") }}, 1, 16)
    end
{%- endmacro %}


{# Whether something was put into the cart in the last so many days and nothing has been bought since. #}
{% macro open_cart(last_cart_add_at, last_purchase_at, last_ordered_at, days) -%}
    coalesce(
        {{ last_cart_add_at }} >= {{ dbt.dateadd('day', -days, as_of()) }}
        and {{ last_cart_add_at }} > coalesce({{ last_purchase_at }}, cast('1900-01-01' as timestamp))
        and {{ last_cart_add_at }} > coalesce({{ last_ordered_at }}, cast('1900-01-01' as timestamp)),
        false
    )
{%- endmacro %}


{# The latest of several timestamps; nulls don't count. #}
{% macro latest(timestamps) -%}
    nullif(greatest(
        {%- for timestamp in timestamps %}coalesce({{ timestamp }}, cast('1900-01-01' as timestamp)){{ ', ' if not loop.last }}{% endfor -%}
    ), cast('1900-01-01' as timestamp))
{%- endmacro %}


{# Visitors that nobody is known for, as customers (var `keep_anonymous_visitors`). #}
{% macro anonymous_profiles() -%}
    select
        customer_id,
        {% for field in [
            'email', 'phone', 'first_name', 'last_name', 'street', 'postal_code', 'city', 'country_code',
            'language_code', 'time_zone', 'acquisition_channel'
        ] -%}
        cast(null as {{ dbt.type_string() }}) as {{ field }},
        {% endfor -%}
        'web_visitor' as first_record_type,
        1 as n_records,
        0 as n_emails,
        first_seen_at,
        first_seen_at as updated_at
    from {{ ref('customer_keys') }}
    where record_type = 'web_visitor' and cluster_state = 'anonymous'
{%- endmacro %}
