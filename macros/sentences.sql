{# A day as text, for sentences: of a column named …_at in the shop's time zone, of any other column as a date. #}
{% macro day_text(moment) -%}
    cast({{ day_of(moment) | trim if moment.rstrip(')').endswith('_at') else 'cast(' ~ moment ~ ' as date)' }} as {{ dbt.type_string() }})
{%- endmacro %}


{# A number and its noun as text: 1 order, 2 orders. n_text: the number as text, if it is not an integer. #}
{% macro counted(n, thing, things=none, n_text=none) -%}
    {{ n_text or 'cast(' ~ n ~ ' as ' ~ dbt.type_string() ~ ')' }} || case when {{ n }} = 1 then ' {{ thing }}' else ' {{ things or thing ~ 's' }}' end
{%- endmacro %}


{# A decimal as text without trailing zeros: 3, 0.25. #}
{% macro number_text(number) -%}
    {{ replace_pattern('cast(' ~ number ~ ' as ' ~ dbt.type_string() ~ ')', '[.]?0+$') }}
{%- endmacro %}


{# An hour of the day as text: 08:00. #}
{% macro hour_text(hour) -%}
    case when {{ hour }} < 10 then '0' else '' end || cast({{ hour }} as {{ dbt.type_string() }}) || ':00'
{%- endmacro %}


{# A share as text, in percent with one decimal: for a share that may be close to its limit. #}
{% macro tenths_text(share) -%}
    cast(cast(floor(1000 * {{ share }} + 0.5) / 10 as decimal(18, 1)) as {{ dbt.type_string() }}) || '%'
{%- endmacro %}


{# A number as text with two decimals, halves rounded up: engines round doubles differently. #}
{% macro hundredths_text(number) -%}
    cast(cast(floor(100 * {{ number }} + 0.5) / 100 as decimal(18, 2)) as {{ dbt.type_string() }})
{%- endmacro %}


{# An amount in the shop's currency as text. #}
{% macro money_text(amount) -%}
    {{ hundredths_text(amount) }} || ' {{ var('currency') }}'
{%- endmacro %}


{# What to do about rejected rows or blanked values, by their reason, as one or two sentences. #}
{% macro cure_text(reason) -%}
    case
        when {{ reason }} like 'currency %' then 'Set var currency to the currency of the shop. Give every other currency a rate in seed exchange_rates.'
        when {{ reason }} like '% timestamp' then 'Convert it in a view over the table: 2017-12-31 18:30:00 in the time zone of var time_zone, or with a UTC offset.'
        when {{ reason }} like '% integer' or {{ reason }} like '% decimal' or {{ reason }} like '% double'
            then 'Use one decimal mark in the whole column. A view over the table can convert the numbers.'
        when {{ reason }} like '% boolean' then 'Convert it to true or false in a view over the table.'
        when {{ reason }} like '% is after as_of' then 'Add the UTC offset, set var time_zone if the times are local to the shop, or set var as_of to a later moment.'
        when {{ reason }} like '% is a duplicate' then 'Give each row a unique key.'
        when {{ reason }} like '% is missing' then 'Fill the column in a view over the table.'
        when {{ reason }} like '% to identify the customer' then 'Map a column that identifies the customer.'
        when {{ reason }} like '%no person' then 'Table identity_issues lists the accounts and addresses without a customer, and why.'
        when {{ reason }} like '%not kept' then 'Find out first why the parent row is set aside.'
        when {{ reason }} like '% accepted value' or {{ reason }} like '% is taken for %' then 'Table unmapped_words lists the words. Add them to seed source_words.'
        else 'Table rejected_rows lists each of the rows.'
    end
{%- endmacro %}


{#
Print the sentences of failed singular tests. A test that selects a column `sentence` says what is wrong, where, and what to do.
Called at the end of every run.
#}
{% macro say_why(results) %}
    {%- if execute and flags.WHICH in ('build', 'test') -%}
        {%- for result in results if result.status in ('fail', 'warn') -%}
            {%- set test = result.node -%}
            {%- if test.package_name == 'mailroom' and test.resource_type == 'test' and not test.test_metadata and 'sentence' in test.compiled_code -%}
                {%- set found = run_query('select sentence from (' ~ test.compiled_code ~ ') as failing order by sentence limit 10') -%}
                {%- for sentence in found.columns[0].values() -%}{%- do log(sentence, info=true) -%}{%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}


{# A share as a signed percentage with one digit: +12.3%, -4.0%. #}
{% macro signed_percent_text(share) -%}
    case when {{ share }} < 0 then '-' else '+' end || {{ tenths_text('abs(' ~ share ~ ')') }}
{%- endmacro %}
