{#
Evidence that a share is above a limit, from n messages of which k are such: an e-value, the likelihood of rates from 1 to 20 times the
limit over that of the limit, averaged over rates on a logarithmic scale. If the share is at the limit, it ever reaches 20 with a
probability of at most 1 in 20, however often one looks (Ville's inequality).
#}
{% macro evidence_above(k, n, limit) -%}
    {#- As doubles: Spark divides decimal literals to few digits. -#}
    {%- set terms, floor = [], 'cast(' ~ limit ~ ' as ' ~ double_type() ~ ')' -%}
    {%- for step in range(1, 21) -%}
        {%- set rate = 'cast(' ~ ([limit * (20 ** (step / 20)), 0.999] | min) ~ ' as ' ~ double_type() ~ ')' -%}
        {%- do terms.append('exp(least(' ~ k ~ ' * ln(' ~ rate ~ ' / ' ~ floor ~ ') + (' ~ n ~ ' - ' ~ k ~ ') * ln((1 - ' ~ rate ~ ') / (1 - ' ~ floor ~ ')), 600))') -%}
    {%- endfor -%}
    (({{ terms | join(' + ') }}) / 20)
{%- endmacro %}
