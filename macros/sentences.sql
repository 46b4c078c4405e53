{# The day of a timestamp, by the shop's clocks, or of a date as text, for sentences. By the names of columns. #}
{% macro day_text(moment) -%}
    cast({{ day_of(moment) | trim if moment.rstrip(')').endswith('_at') else 'cast(' ~ moment ~ ' as date)' }} as {{ dbt.type_string() }})
{%- endmacro %}


{# A number and what it counts, as a text: 1 order, 2 orders. n_text: the number as a text, where it is no integer. #}
{% macro counted(n, thing, things=none, n_text=none) -%}
    {{ n_text or 'cast(' ~ n ~ ' as ' ~ dbt.type_string() ~ ')' }} || case when {{ n }} = 1 then ' {{ thing }}' else ' {{ things or thing ~ 's' }}' end
{%- endmacro %}


{# A decimal as a text without zeros at its end: 3, 0.25. #}
{% macro number_text(number) -%}
    {{ replace_pattern('cast(' ~ number ~ ' as ' ~ dbt.type_string() ~ ')', '[.]?0+$') }}
{%- endmacro %}


{# An hour of the day as a text: 08:00. #}
{% macro hour_text(hour) -%}
    case when {{ hour }} < 10 then '0' else '' end || cast({{ hour }} as {{ dbt.type_string() }}) || ':00'
{%- endmacro %}


{# A share as a text in percent and tenths, to set beside a limit that it may be close to. #}
{% macro tenths_text(share) -%}
    cast(cast(floor(1000 * {{ share }} + 0.5) / 10 as decimal(18, 1)) as {{ dbt.type_string() }}) || '%'
{%- endmacro %}


{# A number as a text with two decimals, a half up: engines round doubles differently. #}
{% macro hundredths_text(number) -%}
    cast(cast(floor(100 * {{ number }} + 0.5) / 100 as decimal(18, 2)) as {{ dbt.type_string() }})
{%- endmacro %}


{# An amount of the shop's currency as a text. #}
{% macro money_text(amount) -%}
    {{ hundredths_text(amount) }} || ' {{ var('currency') }}'
{%- endmacro %}


{# What to do about rows that were set aside for a reason, or lost a value, as a sentence. #}
{% macro cure_text(reason) -%}
    case
        when {{ reason }} like 'currency %' then 'Set var currency to the one that the shop charges in; give every other one a rate in seed exchange_rates.'
        when {{ reason }} like '% timestamp' then 'Give it as 2017-12-31 18:30:00, by the clocks of var time_zone, or with its offset: a view over the table can convert it.'
        when {{ reason }} like '% integer' or {{ reason }} like '% decimal' or {{ reason }} like '% double'
            then 'Give numbers with one mark before the decimals, the same in the whole column: a view over the table can convert them.'
        when {{ reason }} like '% boolean' then 'Give true or false: a view over the table can convert it.'
        when {{ reason }} like '% is after as_of' then 'Give it with its offset, set var time_zone if it is by the clocks of the shop, or var as_of to a later moment.'
        when {{ reason }} like '% is a duplicate' then 'Give each row a key of its own.'
        when {{ reason }} like '% is missing' then 'Fill the column in a view over the table.'
        when {{ reason }} like '% to identify the customer' then 'Map a column that says whose row it is.'
        when {{ reason }} like '%no person' then 'Table identity_issues lists the accounts and addresses that belong to none, and why.'
        when {{ reason }} like '%not kept' then 'Look first why those are set aside.'
        when {{ reason }} like '% accepted value' or {{ reason }} like '% is taken for %' then 'Table unmapped_words has the words: add them to the seed source_words.'
        else 'Table rejected_rows has each of the rows.'
    end
{%- endmacro %}


{#
Print what a failed test of a file of its own has to say: one that selects a column `sentence` says in words what is wrong, where and what to
do. Called at the end of every run.
#}
{% macro say_why(results) %}
    {%- if execute and flags.WHICH in ('build', 'test') -%}
        {%- for result in results if result.status in ('fail', 'warn') -%}
            {%- set test = result.node -%}
            {%- if test.resource_type == 'test' and not test.test_metadata and 'sentence' in test.compiled_code -%}
                {%- set found = run_query('select sentence from (' ~ test.compiled_code ~ ') as failing order by sentence limit 10') -%}
                {%- for sentence in found.columns[0].values() -%}{%- do log(sentence, info=true) -%}{%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
