{#
The words of a column from seed source_words: {known: keys by the value they stand for, refusal, other}. The last two are empty
if the seed has no such row. accepted: the contract's own values, which stand for themselves.
Read once per run, because dbt's graph is shared by all nodes. If the seed is not in the warehouse yet, only the accepted values
are known.
#}
{% macro word_list(source_name, table_name, column_name, accepted=[]) %}
    {%- set seed = ref('source_words') -%}
    {%- set words = {'known': {}, 'refusal': none, 'other': none} -%}
    {%- for value in accepted -%}{%- do words.known.update({value: [bare_word(value)]}) -%}{%- endfor -%}
    {%- if not execute -%}{{ return(words) }}{%- endif -%}
    {%- if 'mailroom_words' not in graph -%}
        {%- set rows = run_query(
            'select source_name, table_name, column_name, word, value from ' ~ seed ~ ' order by 1, 2, 3, 4'
        ).rows if load_cached_relation(seed) else [] -%}
        {%- do graph.update({'mailroom_words': rows}) if rows -%}
    {%- endif -%}
    {%- set prefixes, own = [''], [] -%}
    {%- for row in graph.get('mailroom_words', []) if row[0] == source_name and row[1] == table_name and row[2] == column_name -%}
        {%- if row[3] == '*' -%}{%- do words.update({'other': row[4]}) -%}
        {%- elif row[3] == '*refusal*' -%}{%- do words.update({'refusal': row[4]}) -%}
        {%- elif row[3].endswith('*') -%}{%- do prefixes.append(bare_word(row[3])) -%}
        {%- else -%}{%- do own.append(row) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for value in accepted -%}{%- for prefix in prefixes -%}{%- do words.known[value].append(prefix ~ bare_word(value)) -%}{%- endfor -%}{%- endfor -%}
    {%- for row in own -%}
        {%- for prefix in prefixes -%}{%- do words.known.setdefault(row[4] or '', []).append(prefix ~ bare_word(row[3])) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(words) }}
{% endmacro %}


{# A word without case, spaces and punctuation, as in bare_key(): Wc-On Hold is wconhold. Symbols alone stay (€). #}
{% macro bare_word(word) %}
    {%- set text = word | lower | trim -%}
    {{ return(modules.re.sub('[\\W_]+', '', text) or text) }}
{% endmacro %}

{# The same for an expression. #}
{% macro bare_key(expression) -%}
    coalesce(nullif({{ replace_pattern("lower(" ~ expression ~ ")", "[^\\p{L}\\p{N}]+") | trim }}, ''), lower({{ expression }}))
{%- endmacro %}


{#
A system's word as Mailroom's value: the value of the word in source_words, ignoring case, spaces and punctuation. A word on no
list gets the seed's value for refusals if it reads like one (var `refusal_words`), or the seed's value for other words.
Otherwise it stays as it is.
#}
{% macro known_word(expression, words) -%}
    {%- if not (words.known or words.refusal or words.other) -%}{{ return(expression) }}{%- endif -%}
    {%- set key = bare_key(expression) | trim -%}
    {#- Most words are Mailroom's own already: the first case is the fast path. #}
    case
        {%- if words.known %}
        when {{ expression }} in ('{{ words.known.keys() | map('string') | reject('equalto', '') | join("', '") }}') then {{ expression }}
        {%- endif %}
        {%- for value, keys in words.known.items() %}
        when {{ key }} in ('{{ keys | unique | join("', '") }}') then {{ "'" ~ value ~ "'" if value else 'null' }}
        {%- endfor %}
        {%- if words.refusal %}
        when {{ has_words(expression, 'refusal_words') }} then '{{ words.refusal }}'
        {%- endif %}
        {%- if words.other %}
        when {{ expression }} is not null then '{{ words.other }}'
        {%- endif %}
        else {{ expression }}
    end
{%- endmacro %}


{# Whether a word is in one of the lists. #}
{% macro is_known_word(expression, words) -%}
    {%- set keys = words.known.values() | sum(start=[]) | unique | list -%}
    {{ bare_key(expression) | trim }} in ('{{ keys | join("', '") }}')
{%- endmacro %}


{# The words of a contract column. meta.own_words: a var with more words that stand for themselves. #}
{% macro column_words(source_name, table_name, column) %}
    {%- set own = var(column.meta.own_words) if column.meta.own_words else [] -%}
    {{ return(word_list(source_name, table_name, column.name, (column.meta.accepted or column.meta.known or []) + own)) }}
{% endmacro %}


{# A word as in the lists of vars: lower case, with _ between its parts. #}
{% macro word_key(expression) -%}
    {{ replace_pattern(replace_pattern("lower(" ~ expression ~ ")", "[^\\p{L}\\p{N}]+", "_") | trim, "^_|_$") | trim }}
{%- endmacro %}


{# Whether a text matches a var, which is a regular expression over word_key(). #}
{% macro has_words(expression, var_name) -%}
    {{ matches_pattern(word_key(expression) | trim, var(var_name)) | trim }}
{%- endmacro %}
