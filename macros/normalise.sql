{#
An e-mail address in the one spelling that all comparisons use: lower case, composed letters, an international domain in its own
script, without surrounding spaces, brackets, quotes, display name, comment, mailto: or trailing dot. Null if it is not one
address with a domain. Sources: RFC 5321 (254 characters at most), RFC 6068 (mailto:), RFC 5322 (display names and comments),
RFC 6531 and RFC 5890 (international addresses).
#}
{% macro normalise_email(expression) -%}
    {#- Fast path: most addresses are plain. The others take ten times the work. -#}
    {%- set plain = "^[a-z0-9._+-]+@([a-z0-9_-]+[.])+[a-z]{2,}$" -%}
    case
        when
            length({{ expression }}) <= 254
            and {{ matches_pattern("lower(" ~ expression ~ ")", plain) | trim }}
            and lower({{ expression }}) not like '%xn--%'
            then lower({{ expression }})
        when
            length({{ expression }}) <= 254
            and {{ matches_pattern("lower(trim(" ~ expression ~ "))", plain) | trim }}
            and lower({{ expression }}) not like '%xn--%'
            then lower(trim({{ expression }}))
        else {{ one_address(bare_address(expression, "[\\p{Z}\\p{C}]*([@.])[\\p{Z}\\p{C}]*")) }}
    end
{%- endmacro %}


{#
The addresses that a refusal with an unreadable address may have meant: expressions, each an address or null. A space inside is
a typing error, or separates an address from other words or addresses. For opt-outs only, which may cover too many addresses.
#}
{% macro refused_addresses(expression) %}
    {%- set text = bare_address(expression, "[\\p{Z}\\p{C}]*([@.])[\\p{Z}\\p{C}]*") | trim -%}
    {%- set word = "[^@\\p{Z}\\p{C},;<>()\"|]+@[^@\\p{Z}\\p{C},;<>()\"|]+" -%}
    {{ return([
        one_address(bare_address(expression, "[\\p{Z}\\p{C}]+()")),
        one_address(extract_pattern(text, "(" ~ word ~ ")") | trim),
        one_address(extract_pattern(text, "(" ~ word ~ ")[^@]*$") | trim)
    ]) }}
{% endmacro %}


{#
A typed text without the parts that may surround an address. spaces: a pattern to remove within it, except its first group.
#}
{% macro bare_address(expression, spaces) -%}
    {%- set wide = "＠．。｡＋－＿０１２３４５６７８９ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ" -%}
    {%- set narrow = "@...+-_0123456789abcdefghijklmnopqrstuvwxyz" -%}
    {%- set text = "translate(lower(" ~ composed_text(expression) ~ "), '" ~ wide ~ "', '" ~ narrow ~ "')" -%}
    {%- set wrapping = "\\p{Z}\\p{C}\"\\x27" -%}
    {%- set steps = [
        ["^[^<]*<+([^<>]*@[^<>]*)>[^@]*$", "\\1"],
        ["[(][^()@]*[)]", ""],
        ["^([" ~ wrapping ~ "<(]|mailto:)*", ""],
        ["%40", "@"],
        ["[?][^@]*$", ""],
        ["[" ~ wrapping ~ ">).,;]+$", ""],
        [spaces, "\\1"],
        ["^\"?([^\"]+)\"@", "\\1@"]
    ] -%}
    {%- set bare = namespace(sql=text) -%}
    {%- for pattern, replacement in steps -%}
        {%- set bare.sql = replace_pattern(bare.sql, pattern, replacement) | trim -%}
    {%- endfor -%}
    {{ bare.sql }}
{%- endmacro %}


{# A bare text as an address, with its domain in its own script. Null if it is not an address. #}
{% macro one_address(text) -%}
    {%- set address = "^([^@\\p{Z}\\p{C},;<>()\"|]+@(?:[\\p{L}\\p{M}\\p{N}_-]+[.])+(?:[\\p{L}\\p{M}]{2,}|xn--[a-z0-9-]+))$" -%}
    {%- set found = extract_pattern(extract_pattern(text, "^(.{3,254})$") | trim, address) | trim -%}
    {{ composed_text(own_script_domain(found) | trim) }}
{%- endmacro %}


{#
A name for display: single spaces, and a capital first letter if it was all in one case. Null if it is empty or a filler such as
"n/a" (var `not_a_name`).
#}
{% macro clean_name(expression) -%}
    {%- set spaced = "trim(" ~ replace_pattern(expression, "[\\p{Z}\\p{Cc}\\x{200B}\\x{FEFF}]+", " ") | trim ~ ")" -%}
    {%- set fillers = [''] -%}
    {%- for filler in var('not_a_name') -%}{%- do fillers.append(filler | lower | replace("'", "''")) -%}{%- endfor -%}
    {#- Not "in": DuckDB turns a long list into a join, and then computes the name again on either side. -#}
    case lower({{ spaced }})
        {% for filler in fillers -%}
        when '{{ filler }}' then null
        {% endfor -%}
        else
            case
                when {{ spaced }} in (lower({{ spaced }}), upper({{ spaced }}))
                    then upper(substr({{ spaced }}, 1, 1)) || lower(substr({{ spaced }}, 2))
                else {{ spaced }}
            end
    end
{%- endmacro %}


{# The two-letter language of a language tag: de of de-AT. #}
{% macro language_code(expression) -%}
    {{ extract_pattern("lower(" ~ expression ~ ")", "^([a-z]{2})(?:[-_].*)?$") | trim }}
{%- endmacro %}


{#
The key that all spellings of one category share, for the seed category_spellings: its path in lower-case letters and digits of
any script, each part without an English plural, joined by >. "Sneakers" and "sneaker" give sneaker, "Men / T-Shirts" gives
men>tshirt, "Käse" gives käse. Null if nothing is left.
#}
{% macro category_key(expression) -%}
    {%- set letters = replace_pattern("lower(" ~ composed_text(expression) ~ ")", "[^\\p{L}\\p{M}\\p{N}/>|»›]+") | trim -%}
    {%- set path = replace_pattern(letters ~ " || '>'", "[/>|»›]+", ">") | trim -%}
    nullif({{ replace_pattern(without_plurals(path, ">") | trim, "^>+|>+$") | trim }}, '')
{%- endmacro %}


{# The words of a category as ' word word ', each without an English plural, to search for words in it. #}
{% macro category_words(expression) -%}
    {%- set visible = replace_pattern("lower(" ~ composed_text(expression) ~ ")", "[\\x{AD}\\x{200B}\\x{FEFF}]+") | trim -%}
    {%- set words = replace_pattern("' ' || " ~ visible ~ " || ' '", "[^\\p{L}\\p{M}\\p{N}]+", " ") | trim -%}
    {{ without_plurals(words, " ") }}
{%- endmacro %}


{# The words of a sensitive category to search for in others. Without the last space, so that Kondom also finds Kondome. #}
{% macro sensitive_words(expression) -%}
    {{ replace_pattern(category_words(expression) | trim, " +$") }}
{%- endmacro %}


{# Lower-case words, each followed by `after`, without English plurals: boxes is box, accessories is accessory. #}
{% macro without_plurals(words, after) -%}
    {%- set rules = [["ies?" ~ after, "y" ~ after], ["(ss|x|ch|sh|zz)es" ~ after, "\\1" ~ after], ["([^s" ~ after ~ "])s" ~ after, "\\1" ~ after]] -%}
    {%- set singular = namespace(sql=words) -%}
    {%- for pattern, replacement in rules -%}
        {%- set singular.sql = replace_pattern(singular.sql, pattern, replacement) | trim -%}
    {%- endfor -%}
    {{ singular.sql }}
{%- endmacro %}


{# A category for display: clean_name() of its path, joined by " > ". Null if it is a filler. #}
{% macro category_name(expression) -%}
    {%- set path = replace_pattern(expression, "[\\p{Z}\\p{Cc}]*[/>|»›]+[\\p{Z}\\p{Cc}]*", " > ") | trim -%}
    case when {{ clean_name(expression) }} is not null then {{ clean_name(replace_pattern(path, "^( > )+|( > )+$") | trim) }} end
{%- endmacro %}


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
