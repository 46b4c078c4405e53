{# What kinds of message there are, and the scopes of a rule that stop each. #}
{% macro message_classes() %}
    {{ return({
        'transactional': ['everything'],
        'onboarding': ['everything', 'marketing'],
        'lifecycle': ['everything', 'marketing'],
        'promotional': ['everything', 'marketing', 'promotional'],
    }) }}
{% endmacro %}
