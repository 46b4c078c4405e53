{# Vars of offers that make no offer, or none that a margin allows. #}
{% macro offer_flaws() %}
    {%- set flaws = [] -%}
    {%- set shares = var('offer_shares') -%}
    {%- if not shares or shares != shares | sort or shares | unique | list != shares or shares[0] <= 0 or shares[-1] >= 1 -%}
        {%- do flaws.append('var offer_shares is ' ~ shares ~ ', which is not a rising list of shares above 0 and below 1') -%}
    {%- endif -%}
    {%- for band, level in var('offer_levels_by_band').items() if level not in range((shares or []) | length + 1) -%}
        {%- do flaws.append('var offer_levels_by_band has ' ~ band ~ ': ' ~ level ~ ', and offer_shares has ' ~ (shares or []) | length ~ ' levels') -%}
    {%- endfor -%}
    {%- for name in ['offer_stated_margin_share', 'offer_min_margin_share', 'offer_holdout_share'] if not (var(name) is number and 0 <= var(name) < 1) -%}
        {%- do flaws.append('var ' ~ name ~ ' is ' ~ var(name) ~ ', which is not 0 to below 1') -%}
    {%- endfor -%}
    {%- if not (var('offer_weekly_budget') is number and var('offer_weekly_budget') >= 0) -%}
        {%- do flaws.append('var offer_weekly_budget is ' ~ var('offer_weekly_budget') ~ ', which is no amount') -%}
    {%- endif -%}
    {{ return(flaws) }}
{% endmacro %}
