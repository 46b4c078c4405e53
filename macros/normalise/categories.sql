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
