{#
The rules of each format, from which field_counts makes SQL and mailroom validate makes expectations.
pattern: a regular expression that matches every valid text, with the same meaning in RE2, Java and Python (no backslashes).
at_least, at_most: bounds of a number. past: not after as_of() (an expiry may be later). Each item of a list is one of the
accepted values, separated by a comma and a space.
#}
{% macro field_formats() %}
    {{ return({
        'text': {'pattern': '[^ ]'},
        'list': {},
        'id': {'pattern': '^[^ ](.*[^ ])?$'},
        'customer_id': {'pattern': '^c_[0-9a-f]{16}$'},
        'household_id': {'pattern': '^h_[0-9a-f]{16}$'},
        'email': {'pattern': '^[^@ ,;<>()A-Z]+@[^@ ,;<>()A-Z]+[.][^@ ,;<>().0-9A-Z]{2,}$'},
        'e164': {'pattern': '^[+][1-9][0-9]{7,14}$'},
        'iso_country': {'pattern': '^[A-Z]{2}$'},
        'iana_time_zone': {'pattern': '^([A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC)$'},
        'language_code': {'pattern': '^[a-z]{2}$'},
        'url': {'pattern': '^https?://[^ ]+$'},
        'number': {},
        'money': {'at_least': 0},
        'signed_money': {},
        'count': {'at_least': 0},
        'days': {'at_least': 0},
        'share': {'at_least': 0, 'at_most': 1},
        'ratio': {'at_least': 0},
        'boolean': {},
        'date': {'past': true},
        'timestamp': {'past': true},
        'expiry': {}
    }) }}
{% endmacro %}


{# The format that a column's name and type imply by the naming conventions. config.meta.format overrides it. #}
{% macro promised_format(name, data_type) %}
    {%- if name == 'customer_id' or data_type in ('boolean', 'date', 'timestamp') -%}
        {{ return(name if name == 'customer_id' else data_type) }}
    {%- endif -%}
    {%- if name.endswith('_id') or name.endswith('_key') -%}{{ return('id') }}{%- endif -%}
    {%- if name.startswith('n_') -%}{{ return('count') }}{%- endif -%}
    {%- if name.endswith('_share') -%}{{ return('share') }}{%- endif -%}
    {%- if name.endswith('_days') -%}{{ return('days') }}{%- endif -%}
    {%- if data_type.startswith('decimal') -%}{{ return('money') }}{%- endif -%}
    {{ return('text' if data_type == 'string' else 'number') }}
{% endmacro %}


{# SQL: whether the entry allows a value. Null for null. #}
{% macro is_valid_value(entry) %}
    {%- set name = entry.column_name -%}
    {%- set rules = [] -%}
    {%- if entry.accepted and entry.format != 'list' -%}
        {%- do rules.append("cast(" ~ name ~ " as " ~ dbt.type_string() ~ ") in ('" ~ entry.accepted | join("', '") ~ "')") -%}
    {%- elif entry.pattern -%}
        {%- do rules.append(matches_pattern(name, entry.pattern) | trim) -%}
    {%- endif -%}
    {%- if entry.at_least is defined -%}{%- do rules.append(name ~ ' >= ' ~ entry.at_least) -%}{%- endif -%}
    {%- if entry.at_most is defined -%}{%- do rules.append(name ~ ' <= ' ~ entry.at_most) -%}{%- endif -%}
    {%- if entry.past -%}{%- do rules.append(name ~ ' <= ' ~ as_of_day() | trim if entry.data_type == 'date' else 'cast(' ~ name ~ ' as timestamp) <= ' ~ as_of()) -%}{%- endif -%}
    {{ return(rules | join(' and ') or name ~ ' is not null') }}
{% endmacro %}
