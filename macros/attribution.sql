{# The rules that share each order among its own clicks, with the weight of a click. #}
{% macro click_weights() %}
    {{ return({
        'last': 'case when touch_number = n_touches then 1 else 0 end',
        'first': 'case when touch_number = 1 then 1 else 0 end',
        'linear': '1',
        'position': 'case when n_touches <= 2 then 1 when touch_number in (1, n_touches) then 0.4 else 0.2 / cast(n_touches - 2 as ' ~ double_type() ~ ') end',
        'decay': 'power(0.5, n_touches - touch_number)',
    }) }}
{% endmacro %}


{# All rules: these, and the two that look at all paths (src/mailroom/measurement/paths.py). #}
{% macro attribution_rules() %}
    {{ return(click_weights() | list + ['markov', 'shapley']) }}
{% endmacro %}
