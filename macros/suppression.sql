{# The message classes, each with the rule scopes that stop it. #}
{% macro message_classes() %}
    {{ return({
        'transactional': ['everything'],
        'onboarding': ['everything', 'marketing'],
        'lifecycle': ['everything', 'marketing'],
        'promotional': ['everything', 'marketing', 'promotional'],
    }) }}
{% endmacro %}


{#
The length of a rest in hours: the given days, but at most a share (var rest_rhythm_share) of the customer's usual time between
orders. Otherwise a customer who orders twice a week would always be resting after an order or a refund.
#}
{% macro rest_hours(days, usual_days) -%}
    least(
        {{ 24 * days }},
        coalesce(cast(floor({{ 24 * var('rest_rhythm_share') }} * {{ usual_days }}) as bigint), {{ 24 * days }})
    )
{%- endmacro %}


{# The end of a reason: how often the customer orders, if that shortens the rest. #}
{% macro rest_reason(days, rest_hours, usual_days) -%}
    case
        when {{ rest_hours }} < {{ 24 * days }}
            then ', and usually orders every ' || {{ counted('cast(floor(' ~ usual_days ~ ' + 0.5) as bigint)', 'day') }}
        else ''
    end || '.'
{%- endmacro %}


{#
The current and past addresses of each ESP profile, as a subquery in parentheses: profile_id, email, is_current, from_at (null:
from the start) and until_at (null: until now). A bounce between from_at and until_at belongs to that address. contact_points
records when a build first saw an address. The change itself may be var `lateness_days` older.
#}
{% macro profile_addresses() -%}
    (
        select
            profile_id,
            email,
            is_current,
            case when address_number > 1 then {{ date_add('day', -var('lateness_days'), 'recorded_at') }} end as from_at,
            case when not is_current then next_recorded_at end as until_at
        from (
            select
                profile_id,
                email,
                is_current,
                recorded_at,
                rank() over (partition by profile_id order by coalesce(recorded_at, {{ as_of() }})) as address_number,
                lead(recorded_at) over (partition by profile_id order by coalesce(recorded_at, {{ as_of() }}), email) as next_recorded_at
            from (
                select
                    profile_id,
                    email,
                    max(is_current) = 1 as is_current,
                    max(recorded_at) as recorded_at
                from (
                    select
                        profile_id,
                        email,
                        1 as is_current,
                        cast(null as timestamp) as recorded_at
                    from (
                        select
                            profile_id,
                            email,
                            reject_reason,
                            max(case when reject_reason is null then 1 else 0 end) over (partition by profile_id) as is_kept
                        from {{ ref('base_esp__profiles') }}
                    ) as profiles
                    where email is not null and (reject_reason is null or (is_kept = 0 and reject_reason in {{ mark_reasons() }}))
                    union all
                    select
                        substr(record_key, {{ 'esp_profile:' | length + 1 }}) as profile_id,
                        contact as email,
                        0 as is_current,
                        recorded_at
                    from {{ ref('contact_points') }}
                    where record_key like 'esp_profile:%' and contact_type = 'email'
                ) as observed_addresses
                group by profile_id, email
            ) as known_addresses
        ) as ranked_addresses
    )
{%- endmacro %}

{# Whether a moment lies between from_at and until_at of an address of profile_addresses(). #}
{% macro is_of_its_time(moment, addresses) -%}
    (coalesce({{ moment }} >= {{ addresses }}.from_at, true) and coalesce({{ moment }} < {{ addresses }}.until_at, true))
{%- endmacro %}


{#
Whether an event is a bounce of a mailbox that is gone. The domain of a large provider does not vanish: an answer that it does not exist is
an error of a name server.
#}
{% macro is_hard_bounce(events, addresses) -%}
    {{ events }}.bounce_type = 'hard'
    and not (
        coalesce({{ events }}.bounce_class, '') = 'no_domain'
        and {{ dbt.split_part(addresses ~ '.email', "'@'", 2) }} in (select email_domain from {{ ref('mailbox_domains') }})
    )
{%- endmacro %}
