{# What kinds of message there are, and the scopes of a rule that stop each. #}
{% macro message_classes() %}
    {{ return({
        'transactional': ['everything'],
        'onboarding': ['everything', 'marketing'],
        'lifecycle': ['everything', 'marketing'],
        'promotional': ['everything', 'marketing', 'promotional'],
    }) }}
{% endmacro %}


{#
The hours of a rest of so many days: at most a part (var rest_rhythm_share) of the customer's own usual time between
orders. Who orders twice a week would otherwise never be out of the rests after an order and after a refund.
#}
{% macro rest_hours(days, usual_days) -%}
    least(
        {{ 24 * days }},
        coalesce(cast(floor({{ 24 * var('rest_rhythm_share') }} * {{ usual_days }}) as bigint), {{ 24 * days }})
    )
{%- endmacro %}


{# The end of a sentence: how often they order, where that makes a rest shorter. #}
{% macro rest_reason(days, rest_hours, usual_days) -%}
    case
        when {{ rest_hours }} < {{ 24 * days }}
            then ', and usually orders every ' || {{ counted('cast(floor(' ~ usual_days ~ ' + 0.5) as bigint)', 'day') }}
        else ''
    end || '.'
{%- endmacro %}
