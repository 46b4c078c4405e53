{# One id per postal address, whose customers are a household. Null without street and postal code. #}
{% macro household_id(street, postal_code, country_code) -%}
    {%- set address = replace_pattern("lower(" ~ street ~ " || " ~ postal_code ~ ")", "[ .,/-]") | trim -%}
    case
        when {{ street }} is not null and {{ postal_code }} is not null
            then 'h_' || substr({{ dbt.hash(address ~ " || coalesce(" ~ country_code ~ ", '')") }}, 1, 16)
    end
{%- endmacro %}


{# The latest of several timestamps, ignoring nulls. #}
{% macro latest(timestamps) -%}
    nullif(greatest(
        {%- for timestamp in timestamps %}coalesce({{ timestamp }}, cast('1900-01-01' as timestamp)){{ ', ' if not loop.last }}{% endfor -%}
    ), cast('1900-01-01' as timestamp))
{%- endmacro %}


{# Visitors without a known customer, as customers of their own (var `keep_anonymous_visitors`). #}
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


{#
The days of customer_daily_activity (model: its name) that a build replaces: those since the newest web or e-mail event in the
table, whichever is older. All days if a source has events and the table has none of them.
#}
{% macro activity_days(model) %}
    {#- Without the saved owners of the last build, changes of attribution cannot be found. -#}
    {%- if execute and not noted_owners() -%}{{ return(none) }}{%- endif -%}
    {%- set table = relation_of(model) if execute -%}
    {%- set parts = [] -%}
    {%- for staged, condition in [('stg_web__sessions', 'n_sessions > 0'), ('stg_esp__profile_days', has_feed_events())] -%}
        {%- do parts.append(
            'select case when (select count(*) from (select 1 as one from ' ~ ref(staged) ~ " limit 1) as some_row) > 0 then "
            ~ "coalesce(max(activity_on), cast('1900-01-01' as date)) end as newest from " ~ table ~ ' where ' ~ condition
        ) -%}
    {%- endfor -%}
    {%- set days = replaced_days('select min(newest) as newest from (' ~ parts | join(' union all ') ~ ') as parts', model) -%}
    {#- A back-fill has no end here: changed customers are written up to now, which moves the newest row. -#}
    {%- if days -%}{%- do days.update({'until': none}) -%}{%- endif -%}
    {{ return(days) }}
{% endmacro %}


{# Whether customer_daily_activity replaces a row: it is of these days, or of a customer in changed_customers. #}
{% macro is_of_activity(customer_id, event_time, days) -%}
    {%- set changed = ref('changed_customers') -%}
    {%- if not days -%}{{ return('1 = 1') }}{%- endif -%}
    {{ return('(' ~ is_replaced(event_time, days) ~ ' or ' ~ customer_id ~ ' in (select customer_id from ' ~ changed ~ '))') }}
{%- endmacro %}


{# The table with the owners of the last build of customer_daily_activity, or none if it does not exist. #}
{% macro noted_owners() %}
    {{ return(load_cached_relation(owners_relation()) if execute and this) }}
{% endmacro %}

{% macro owners_relation() %}{{ return(relation_of('attribution_changes').incorporate(path={'identifier': 'customer_daily_activity_owners'}, type='table')) }}{% endmacro %}


{# The hook that saves them, in the model's own transaction, so that table and owners always match. #}
{% macro note_owners(owners, changes) %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- if not noted_owners() or flags.FULL_REFRESH -%}{{ return(write_table(owners_relation(), 'select * from ' ~ owners)) }}{%- endif -%}
    {{ return(replace_rows(
        owners_relation(),
        '(select owner_key, new_customer_id as customer_id from ' ~ changes ~ ' where new_customer_id is not null) as moved',
        'owner_key in (select owner_key from ' ~ changes ~ ')'
    )) }}
{% endmacro %}


{# Whether a line is a gift card, by the line, its product or its id. Needs CTEs lines and products, both staged. #}
{% macro is_gift_card_line() -%}
    coalesce(lines.is_gift_card, products.is_gift_card, {{ has_words('lines.product_id', 'gift_card_words') }}, false)
{%- endmacro %}


{# Whether a domain matches one of seed marketplace_domains, in which * stands for any text. #}
{% macro is_lent_by_marketplace(email_domain, lending_domain) -%}
    '.' || {{ email_domain }} like '%.' || replace({{ lending_domain }}, '*', '%')
{%- endmacro %}


{#
When a customer ended their last subscription, if none is active and they have not ordered since. Null otherwise.
before: prefix of the columns of table customers.
#}
{% macro subscription_ended_at(before='') -%}
    case
        when
            {{ before }}n_active_subscriptions = 0
            and {{ before }}last_cancelled_at <= {{ as_of() }}
            and {{ before }}last_cancelled_at > coalesce({{ before }}last_ordered_at, {{ before }}first_seen_at)
            then {{ before }}last_cancelled_at
    end
{%- endmacro %}
