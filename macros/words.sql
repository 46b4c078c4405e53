{#
What a system says, as Mailroom says it, by one entry of var `words`: the value whose words have it. Case, space and
punctuation do not count. A word that is on no list, but reads like a refusal (var `refusal_words`), is one where the entry
says which (`refusal`); every other stays as it is.
#}
{% macro known_word(expression, entry_name) -%}
    {%- set entry = var('words')[entry_name] -%}
    {%- set key = word_key(expression) | trim -%}
    {#- Most words are ours already, and need no second look. #}
    case
        when {{ expression }} in ('{{ entry['values'].keys() | join("', '") }}') then {{ expression }}
        {%- for value, words in entry['values'].items() %}
        when {{ key }} in ('{{ ([value] + words) | join("', '") }}') then '{{ value }}'
        {%- endfor %}
        {%- if entry.refusal %}
        when {{ has_words(expression, 'refusal_words') }} then '{{ entry.refusal }}'
        {%- endif %}
        else {{ expression }}
    end
{%- endmacro %}


{# Whether a word is on one of the lists of an entry of var `words`. #}
{% macro is_known_word(expression, entry_name) -%}
    {%- set known = [] -%}
    {%- for value, words in var('words')[entry_name]['values'].items() -%}{%- do known.extend([value] + words) -%}{%- endfor -%}
    {{ word_key(expression) | trim }} in ('{{ known | join("', '") }}')
{%- endmacro %}


{# A word as lists have it: lower case, with _ for what stands between its parts. #}
{% macro word_key(expression) -%}
    {{ replace_pattern(replace_pattern("lower(" ~ expression ~ ")", "[^\\p{L}\\p{N}]+", "_") | trim, "^_|_$") | trim }}
{%- endmacro %}


{# Whether a text has what a var looks for, a regular expression over word_key(). #}
{% macro has_words(expression, var_name) -%}
    {{ matches_pattern(word_key(expression) | trim, var(var_name)) | trim }}
{%- endmacro %}
