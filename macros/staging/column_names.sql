{#
The columns of a table under another name than the contract's: {names, unread}, see raw_place. A name that differs only in case,
spaces and underscores is read, if it is the only one. A misspelt name is only reported.
found_names: the columns that the table has, in lower case.
dbt's graph is shared by all nodes of a run. It holds the result, so that a run logs it once.
#}
{% macro names_meant(source_name, table_name, found_names) %}
    {%- set known, table = graph.setdefault('mailroom_names', {}), source_name ~ '.' ~ table_name -%}
    {%- if table in known -%}{{ return(known[table]) }}{%- endif -%}
    {%- set contract_names = contract_columns(source_name, table_name) | rejectattr('meta.copy_of') | map(attribute='name') | list -%}
    {%- set names, unread = {}, {} -%}
    {%- set unknown = {} -%}
    {%- for found in found_names if found not in contract_names -%}{%- do unknown.update({found: bare_name(found)}) -%}{%- endfor -%}
    {%- for wanted in contract_names if wanted not in found_names -%}
        {%- set same, near, bare = [], [], bare_name(wanted) -%}
        {%- for found, bare_found in unknown.items() if found not in names.values() -%}
            {%- if bare_found == bare -%}{%- do same.append(found) -%}
            {%- elif is_misspelt(bare_found, bare) -%}{%- do near.append(found) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if same | length == 1 -%}{%- do names.update({wanted: same[0]}) -%}
        {%- elif same or near -%}{%- do unread.update({wanted: same or near}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do known.update({table: {'names': names, 'unread': unread}}) -%}
    {%- do say_names(table, known[table]) -%}
    {{ return(known[table]) }}
{% endmacro %}


{# A column's name in lower case, with letters and digits only. #}
{% macro bare_name(name) %}{{ return(modules.re.sub('[\\W_]+', '', name | lower)) }}{% endmacro %}


{#
Whether a name looks like another with a typing error: one letter more, less or different, or two swapped. In a name of eight
letters or more also two letters more or less. Names of three letters or fewer never count: too many are similar.
#}
{% macro is_misspelt(found, wanted) %}
    {%- set shorter = [found | length, wanted | length] | min -%}
    {%- if found == wanted or shorter < 4 or (found | length - wanted | length) | abs > 2 -%}{{ return(false) }}{%- endif -%}
    {%- set same = namespace(before=0, after=0) -%}
    {%- for n in range(shorter) -%}
        {%- if same.before == n and found[n] == wanted[n] -%}{%- set same.before = n + 1 -%}{%- endif -%}
    {%- endfor -%}
    {%- for n in range(shorter - same.before) -%}
        {%- if same.after == n and found[-1 - n] == wanted[-1 - n] -%}{%- set same.after = n + 1 -%}{%- endif -%}
    {%- endfor -%}
    {%- set more = found[same.before:found | length - same.after] -%}
    {%- set less = wanted[same.before:wanted | length - same.after] -%}
    {{ return(
        (more | length <= 1 and less | length <= 1)
        or (more | length == 2 and more == less | reverse)
        or (wanted | length >= 8 and not (more and less) and (more ~ less) | length <= 2)
    ) }}
{% endmacro %}


{# Logs the columns found under another name. #}
{% macro say_names(table, meant) %}
    {%- set messages = [] -%}
    {%- for contract_name, raw_name in meant.names.items() -%}{%- do messages.append(raw_name ~ ' is read as ' ~ contract_name) -%}{%- endfor -%}
    {%- for contract_name, similar_names in meant.unread.items() -%}
        {%- set verb = ' is' if similar_names | length == 1 else ' are' -%}
        {%- do messages.append(similar_names | join(', ') ~ verb ~ ' not read (did you mean ' ~ contract_name ~ '?)') -%}
    {%- endfor -%}
    {%- if messages -%}{%- do log(table ~ ': ' ~ messages | join('; ') ~ '.', info=true) -%}{%- endif -%}
{% endmacro %}


{# The hint after a missing column's name: the columns with a similar name. #}
{% macro nearly_named(place, name) %}
    {%- set near = place.get('unread', {}).get(name) -%}
    {{ return(' (did you mean ' ~ near | join(', ') ~ '?)' if near else '') }}
{% endmacro %}
