{#
The first midnight in the shop's time zone at or after as_of(). Everything before it is known, including today's orders.
#}
{% macro scoring_day() -%}
    cast({{ date_add('day', 1, day_of(date_add('second', -1, as_of()) | trim) | trim) }} as date)
{%- endmacro %}


{# The date `days` days before `day`. #}
{% macro days_before(day, days) -%}
    cast({{ date_add('day', -days, day) }} as date)
{%- endmacro %}


{# The date `days` days after `day`. #}
{% macro days_after(day, days) -%}
    cast({{ date_add('day', days, day) }} as date)
{%- endmacro %}


{#
The facts of one customer on a topic of a score's reasons, as a part of a sentence. `features` is a row of
customer_features, `customers` a row of customers. The topics are listed in mailroom.estimators.inputs.
#}
{% macro score_fact(topic, features, customers='customers') -%}
    {%- set gap_days = "cast(floor(" ~ customers ~ ".usual_days_between_orders + 0.5) as bigint)" -%}
    case
        when {{ topic }} = 'sessions'
            then
                coalesce('last visited ' || {{ counted(features ~ '.days_since_last_session', 'day') }} || ' ago', 'has not visited the site')
                || ', viewed ' || {{ counted(features ~ '.n_product_views_30d', 'product page') }} || ' in 30 days'
        when {{ topic }} = 'mail'
            then
                coalesce('last clicked an e-mail ' || {{ counted(features ~ '.days_since_last_click', 'day') }} || ' ago', 'has never clicked an e-mail')
                || ', received ' || {{ counted(features ~ '.n_emails_sent_90d', 'e-mail') }} || ' in 90 days'
        when {{ topic }} = 'service' then {{ counted(features ~ '.n_tickets_90d', 'support ticket') }} || ' in 90 days'
        when {{ features }}.n_order_days = 0 then 'known for ' || {{ counted(features ~ '.known_days', 'day') }} || ', without an order'
        when {{ topic }} = 'loyalty'
            then
                'has ordered on '
                || case when {{ features }}.n_order_days = 1 then 'one day only' else {{ counted(features ~ '.n_order_days', 'day') }} end
        when {{ topic }} = 'money' then 'spent ' || {{ money_text(customers ~ '.average_order_value') }} || ' per order after refunds'
        when {{ topic }} = 'range' then 'has bought from ' || {{ counted(customers ~ '.n_categories', 'category', 'categories') }}
        when {{ topic }} = 'refunds' then {{ tenths_text(customers ~ '.refund_share') }} || ' of revenue was refunded'
        when {{ topic }} = 'discounts' then 'paid ' || {{ tenths_text(customers ~ '.discount_share') }} || ' less than the full price'
        when {{ topic }} = 'rhythm'
            then
                coalesce('usually orders every ' || {{ counted(gap_days, 'day') }} || ', ', '')
                || 'last ordered ' || {{ counted(features ~ '.days_since_last_order', 'day') }} || ' ago'
    end
{%- endmacro %}


{# Joins one or two facts into a sentence. #}
{% macro score_sentence(first, second) -%}
    upper(substr({{ first }}, 1, 1)) || substr({{ first }}, 2) || coalesce('; ' || {{ second }}, '') || '.'
{%- endmacro %}


{# Confidence in a score: see confidence in models/scores/docs.md. #}
{% macro score_confidence(method, is_level_verified, n_order_days) -%}
    case
        when {{ method }} is null then null
        when {{ method }} = 'rule' then 'low'
        when not {{ is_level_verified }} or {{ n_order_days }} < 2 then 'medium'
        else 'high'
    end
{%- endmacro %}


{#
The slot with the largest value among the columns <prefix><slot>, the first of equals. Null if the values are null.
#}
{% macro slot_at_max(prefix, slots) -%}
    {%- set columns = [] -%}
    {%- for slot in slots -%}{%- do columns.append(prefix ~ slot) -%}{%- endfor -%}
    case greatest({{ columns | join(', ') }})
        {%- for slot in slots %}
        when {{ prefix }}{{ slot }} then {{ slot }}
        {%- endfor %}
    end
{%- endmacro %}


{# The first band whose bound the value reaches. bands maps name to bound, highest first. Null if the value is null. #}
{% macro band_of(value, bands, otherwise) -%}
    case
        {%- for name, bound in bands.items() %}
        when {{ value }} >= {{ bound }} then '{{ name }}'
        {%- endfor %}
        when {{ value }} is not null then '{{ otherwise }}'
    end
{%- endmacro %}


{# Text of a trait of customer_traits, as a part of a sentence. #}
{% macro trait_text(trait, trait_value) -%}
    case {{ trait }}
        when 'country' then 'lives in ' || {{ trait_value }}
        when 'language' then 'speaks ' || {{ trait_value }}
        when 'channel' then 'came from ' || replace({{ trait_value }}, '_', ' ')
        when 'mailbox' then case when {{ trait_value }} = 'other' then 'has an address at their own domain' else 'has an address at ' || replace({{ trait_value }}, '_', ' ') end
        when 'interest' then 'is interested in ' || {{ trait_value }}
        when 'sessions' then {{ trait_value }} || case when {{ trait_value }} = 'one' then ' session' else ' sessions' end || ' in 30 days'
        when 'clicks' then {{ trait_value }} || case when {{ trait_value }} = 'one' then ' click' else ' clicks' end || ' in e-mails in 90 days'
    end
{%- endmacro %}
