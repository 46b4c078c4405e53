{# The rules by which orders are credited to clicks. markov and shapley look at all paths, the others at one order each. #}
{% macro attribution_rules() %}
    {{ return(['last', 'first', 'linear', 'position', 'decay', 'markov', 'shapley']) }}
{% endmacro %}
