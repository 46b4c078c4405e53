{# An address with its domain in its own script: xn--mller-kva.de is müller.de (RFC 3492, RFC 5891). #}
{% macro own_script_domain(email) %}{{ return(adapter.dispatch('own_script_domain', 'mailroom')(email)) }}{% endmacro %}

{% macro default__own_script_domain(email) %}{{ no_engine('own_script_domain') }}{% endmacro %}

{#
DuckDB has no function for it. This is the decoder of RFC 3492, section 6.2, one digit per step. `at` is the position of the
next letter, `code` its code point. Both are kept within their limits, so that a label that is not Punycode gives no error.
Lists of one element name a value that is used more than once. DuckDB 1.5 reduces a list only to the type of its elements, so
each digit stands in the letters of a state.
#}
{% macro duckdb__own_script_domain(email) -%}
    list_transform([{{ email }}], lambda address: case
        when not regexp_matches(address, '[@.]xn--') then address
        else split_part(address, '@', 1) || '@' || array_to_string(list_transform(
            string_split(split_part(address, '@', 2), '.'),
            lambda label: case
                when not regexp_matches(label, '^xn--[a-z0-9-]{0,58}[a-z0-9]$') then label
                else list_transform([list_reduce(
                    list_transform(string_split(regexp_extract(label, '([a-z0-9]+)$', 1), ''), lambda digit: {
                        'letters': digit, 'at': 0::bigint, 'started_at': 0::bigint,
                        'weight': 1::bigint, 'base': 36::bigint, 'bias': 72::bigint, 'code': 128::bigint
                    }),
                    lambda state, digit: list_transform([{
                        'value': case
                            when digit.letters between '0' and '9' then ascii(digit.letters) - 22 else ascii(digit.letters) - 97
                        end,
                        'threshold': greatest(1, least(26, state.base - state.bias))
                    }], lambda step: case
                        when step.value >= step.threshold then {
                            'letters': state.letters,
                            'at': least(state.at + step.value * state.weight, 4294967295),
                            'started_at': state.started_at,
                            'weight': least(state.weight * (36 - step.threshold), 4294967295),
                            'base': state.base + 36,
                            'bias': state.bias,
                            'code': state.code
                        }
                        else list_transform([{
                            'at': least(state.at + step.value * state.weight, 4294967295),
                            'length': length(state.letters) + 1
                        }], lambda letter: {
                            'letters': substr(state.letters, 1, (letter.at % letter.length)::bigint)
                                || list_transform(
                                    [least(state.code + letter.at // letter.length, 1114111)],
                                    lambda code: chr(case when code between 55296 and 57343 then 65533 else code end::integer)
                                )[1]
                                || substr(state.letters, (letter.at % letter.length)::bigint + 1),
                            'at': letter.at % letter.length + 1,
                            'started_at': letter.at % letter.length + 1,
                            'weight': 1,
                            'base': 36,
                            'bias': list_transform(
                                [(letter.at - state.started_at) // case when state.started_at = 0 then 700 else 2 end],
                                lambda gap: list_transform(
                                    [gap + gap // letter.length],
                                    lambda delta: case
                                        when delta <= 455 then 36 * delta // (delta + 38)
                                        when delta <= 455 * 35 + 34 then 36 + 36 * (delta // 35) // (delta // 35 + 38)
                                        when delta <= 455 * 1225 + 1224 then 72 + 36 * (delta // 1225) // (delta // 1225 + 38)
                                        else 108 + 36 * (delta // 42875) // (delta // 42875 + 38)
                                    end
                                )[1]
                            )[1],
                            'code': least(state.code + letter.at // letter.length, 1114111)
                        })[1]
                    end)[1],
                    {
                        'letters': regexp_extract(label, '^xn--(.*)-[a-z0-9]+$', 1), 'at': 0::bigint, 'started_at': 0::bigint,
                        'weight': 1::bigint, 'base': 36::bigint, 'bias': 72::bigint, 'code': 128::bigint
                    }
                ).letters], lambda letters: case
                    when regexp_matches(letters, '^[\p{L}\p{M}\p{N}_-]+$') then letters else label
                end)[1]
            end
        ), '.')
    end)[1]
{%- endmacro %}

{% macro spark__own_script_domain(email) -%}
    transform(array({{ email }}), address -> case
        when address rlike '[@.]xn--'
            then split_part(address, '@', 1) || '@' || lower(reflect('java.net.IDN', 'toUnicode', split_part(address, '@', 2)))
        else address
    end)[0]
{%- endmacro %}

{# Snowflake and BigQuery have no such function: an international domain stays as it is spelled. #}
{% macro snowflake__own_script_domain(email) -%}
    {{ email }}
{%- endmacro %}

{% macro bigquery__own_script_domain(email) -%}
    {{ email }}
{%- endmacro %}
