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
