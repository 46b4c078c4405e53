{#
A phone number in E.164 (+ and 8 to 15 digits), or null if it cannot be one.
calling_code: digits of the country's calling code. trunk_prefix: the start of a national number (0, or empty).
For many rows, put dialled_phone() into one CTE and e164() into the next, so that each is computed once.
#}
{% macro normalise_phone(expression, calling_code, trunk_prefix) -%}
    {{ e164('(' ~ dialled_phone(expression) ~ ')', calling_code, trunk_prefix) }}
{%- endmacro %}


{#
The digits of a phone number as typed, with a + before them if there was one. Empty if it is text.
Without a label (tel:), an extension (x123) and a trunk prefix in brackets (0).
#}
{% macro dialled_phone(expression) -%}
    {#- translate() reads its two lists again for each row, so it only gets numbers with such digits. -#}
    {%- set typed -%}
        case
            when {{ matches_pattern(expression, "^[ -~]*$") | trim }} then {{ expression }}
            else translate({{ expression }}, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９＋', '012345678901234567890123456789+')
        end
    {%- endset -%}
    {%- set label = "^[\\p{Z}\\p{C}]*(tel|phone|mob|mobil|mobile|handy|fon)[.:\\p{Z}]+" -%}
    {%- set extension = "[\\p{Z},;/-]*(extension|ext|durchwahl|x|#)[.:=]?[\\p{Z}]*[0-9]{1,6}[\\p{Z}\\p{C}]*$" -%}
    {%- set number = replace_pattern(typed, "(?i)" ~ label ~ "|" ~ extension ~ "|[(]0[)]") | trim -%}
    {{ replace_pattern(number, "(?s).*[a-zA-Z]{3}.*|[^0-9+]") }}
{%- endmacro %}


{#
The result of dialled_phone() in E.164. +49 0170 … loses the trunk prefix. A number without + or trunk prefix is international
if it starts with the calling code and is too long for a national number (Italian mobile numbers start with 39). Otherwise it is
national if it is too long for a local number. If both are possible, the result is null.
Sources: ITU-T E.164 (15 digits at most, none starts with 0), the North American Numbering Plan for +1.
#}
{% macro e164(dialled, calling_code, trunk_prefix) -%}
    {%- set digits = "replace(" ~ dialled ~ ", '+', '')" -%}
    {%- set whole -%}
        case
            when coalesce({{ dialled }}, '') = '' then null
            when {{ dialled }} like '+' || {{ calling_code }} || nullif({{ trunk_prefix }}, '') || '%'
                then {{ calling_code }} || substr({{ dialled }}, 2 + length({{ calling_code }} || {{ trunk_prefix }}))
            when {{ dialled }} like '+%' then {{ digits }}
            when {{ dialled }} like '00' || {{ calling_code }} || nullif({{ trunk_prefix }}, '') || '%'
                then {{ calling_code }} || substr({{ dialled }}, 3 + length({{ calling_code }} || {{ trunk_prefix }}))
            when {{ dialled }} like '00%' then substr({{ dialled }}, 3)
            when {{ calling_code }} = '1' and {{ dialled }} like '011%' then substr({{ dialled }}, 4)
            when {{ calling_code }} = '1' and length({{ dialled }}) = 11 and {{ dialled }} like '1%' then {{ dialled }}
            when {{ calling_code }} = '1' and length({{ dialled }}) <> 10 then null
            when {{ dialled }} like nullif({{ trunk_prefix }}, '') || '%'
                then {{ calling_code }} || substr({{ dialled }}, 1 + length({{ trunk_prefix }}))
            when
                {{ dialled }} like {{ calling_code }} || '%'
                and length({{ dialled }}) >= case when {{ calling_code }} = '39' then 12 when {{ trunk_prefix }} = '' then 10 else 11 end
                then {{ dialled }}
            when {{ dialled }} like {{ calling_code }} || '%' and ({{ trunk_prefix }} <> '' or length({{ dialled }}) > 10) then null
            when length({{ dialled }}) between case when {{ trunk_prefix }} = '' then 6 else 9 end and 11
                then {{ calling_code }} || {{ dialled }}
        end
    {%- endset -%}
    '+' || {{ extract_pattern(whole, "^([1-9][0-9]{7,14})$") | trim }}
{%- endmacro %}


{# One row: the calling code and trunk prefix of var `default_country`, for tables without a country. #}
{% macro default_country_codes() -%}
    select
        max(calling_code) as calling_code,
        coalesce(max(trunk_prefix), '') as trunk_prefix
    from {{ ref('countries') }}
    where country_code = '{{ var("default_country") }}'
{%- endmacro %}
