{# One id per postal address: people who share it are a household. Null without street and postal code. #}
{% macro household_id(street, postal_code, country_code) -%}
    {%- set address = replace_pattern("lower(" ~ street ~ " || " ~ postal_code ~ ")", "[ .,/-]") | trim -%}
    case
        when {{ street }} is not null and {{ postal_code }} is not null
            then 'h_' || substr({{ dbt.hash(address ~ " || coalesce(" ~ country_code ~ ", '')") }}, 1, 16)
    end
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


{#
Which days a build writes anew in customer_daily_activity (its name): those since the web events or the e-mail events
last came, the one that came less far; all of them where a source has events of which none has been written.
#}
{% macro activity_days(model) %}
    {#- Who owned what when it was last written is known by its own note only. -#}
    {%- if execute and not noted_owners() -%}{{ return(none) }}{%- endif -%}
    {%- set written = relation_of(model) if execute -%}
    {%- set parts = [] -%}
    {%- for staged, condition in [('stg_web__sessions', 'n_sessions > 0'), ('stg_esp__profile_days', has_feed_events())] -%}
        {%- do parts.append(
            'select case when (select count(*) from (select 1 as one from ' ~ ref(staged) ~ " limit 1) as some_row) > 0 then "
            ~ "coalesce(max(activity_on), cast('1900-01-01' as date)) end as newest from " ~ written ~ ' where ' ~ condition
        ) -%}
    {%- endfor -%}
    {%- set days = replaced_days('select min(newest) as newest from (' ~ parts | join(' union all ') ~ ') as parts', model) -%}
    {#- A back-fill has no end here: whoever changed is written up to now, which tells how far the table came. -#}
    {%- if days -%}{%- do days.update({'until': none}) -%}{%- endif -%}
    {{ return(days) }}
{% endmacro %}


{# Whether customer_daily_activity writes a row anew: it is of these days, or of a customer in changed_customers. #}
{% macro is_of_activity(customer_id, event_time, days) -%}
    {%- set changed = ref('changed_customers') -%}
    {%- if not days -%}{{ return('1 = 1') }}{%- endif -%}
    {{ return('(' ~ is_replaced(event_time, days) ~ ' or ' ~ customer_id ~ ' in (select customer_id from ' ~ changed ~ '))') }}
{%- endmacro %}


{# Under whom customer_daily_activity was last written: the relation that it notes its owners in, or none. #}
{% macro noted_owners() %}
    {{ return(load_cached_relation(owners_relation()) if execute and this) }}
{% endmacro %}

{% macro owners_relation() %}{{ return(relation_of('attribution_changes').incorporate(path={'identifier': 'customer_daily_activity_owners'}, type='table')) }}{% endmacro %}


{# The hook that notes them. It is part of the model's own transaction, so that neither stands without the other. #}
{% macro note_owners(owners, changes) %}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- if not noted_owners() or flags.FULL_REFRESH -%}{{ return(write_table(owners_relation(), 'select * from ' ~ owners)) }}{%- endif -%}
    {{ return(replace_rows(
        owners_relation(),
        '(select owner_key, new_customer_id as customer_id from ' ~ changes ~ ' where new_customer_id is not null) as moved',
        'owner_key in (select owner_key from ' ~ changes ~ ')'
    )) }}
{% endmacro %}


{# Whether a line is of a gift card, over lines (staged order lines) and products (staged too): the line says so, else the product, else its id. #}
{% macro is_gift_card_line() -%}
    coalesce(lines.is_gift_card, products.is_gift_card, {{ has_words('lines.product_id', 'gift_card_words') }}, false)
{%- endmacro %}


{# Whether a domain is one of the seed marketplace_domains, whose * stands for any text. #}
{% macro is_lent_by_marketplace(email_domain, lending_domain) -%}
    '.' || {{ email_domain }} like '%.' || replace({{ lending_domain }}, '*', '%')
{%- endmacro %}


{#
When a customer ended their last subscription: none runs any more, and they have not ordered since. Null otherwise.
before: what stands before a column of the table customers.
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
