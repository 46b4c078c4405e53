{# Refusals by the person or the mailbox. They count however late they arrive, so every build reads all of them. #}
{% macro refusals() %}{{ return(['bounced', 'complained', 'unsubscribed']) }}{% endmacro %}

{% macro is_refusal() %}{{ return("event_type in ('" ~ refusals() | join("', '") ~ "')") }}{% endmacro %}


{# Whether a day has events of the ESP's own feed. Refusals are also pulled, so they arrive even when the feed does not. #}
{% macro has_feed_events() -%}
    n_emails_sent - n_emails_only_bounced + n_emails_delivered + n_human_opens + n_human_clicks + n_machine_events > 0
{%- endmacro %}


{#
Whether an event came from mailroom pull. Such an event records that a mailbox refused, but not which message: its message_id is
the event's own key, which begins with the destination's name.
#}
{% macro is_pulled(event_id, message_id) -%}
    {%- set conditions = [] -%}
    {%- for destination in var('destinations') -%}{%- do conditions.append(event_id ~ " like '" ~ destination ~ "-%'") -%}{%- endfor -%}
    ({{ event_id }} = {{ message_id }} and ({{ conditions | join(' or ') }}))
{%- endmacro %}


{#
The enhanced status code (RFC 3463) in the answer to a bounced message, such as 5.1.1. Null without one. IP addresses in the answer are
none.
#}
{% macro status_code_of(answer) -%}
    {%- set plain = replace_pattern(answer, '[0-9]+[.][0-9]+[.][0-9]+[.][0-9.]+', '') | trim -%}
    {{ extract_pattern("' ' || " ~ plain ~ " || ' '", '[^0-9.]([45][.][0-9]{1,3}[.][0-9]{1,3})[^0-9]') | trim }}
{%- endmacro %}


{# The words of an answer, without addresses and links, whose parts are no words of the provider. #}
{% macro words_of_answer(answer) -%}
    replace(lower({{ replace_pattern(answer, '[^ <>]*(@|://)[^ <>]*', '') | trim }}), '_', ' ')
{%- endmacro %}


{#
What each answer means: its code, and class and effect by seed bounce_classes, null if no mark of it is known. Of several codes the longest
counts, of several texts the one that does least to the customer.
#}
{% macro classified_answers(answers) -%}
    {%- set coded -%}
        select
            bounce_answer,
            {{ status_code_of('bounce_answer') }} as bounce_code,
            {{ words_of_answer('bounce_answer') }} as words
        from {{ answers }}
    {%- endset -%}
    select
        coded.bounce_answer,
        coded.bounce_code,
        marks.bounce_class,
        marks.counts_as
    from ({{ coded }}) as coded
    left join (
        select
            coded.bounce_answer,
            classes.bounce_class,
            classes.counts_as,
            row_number() over (
                partition by coded.bounce_answer
                order by
                    case when classes.kind = 'text' then case classes.counts_as when 'hard' then 2 when 'soft' then 1 else 0 end end,
                    length(replace(classes.marker, '*', '')) desc,
                    classes.marker
            ) as place
        from ({{ coded }}) as coded
        cross join {{ ref('bounce_classes') }} as classes
        where
            (classes.kind = 'code' and coded.bounce_code like replace(classes.marker, '*', '%'))
            or (classes.kind = 'text' and coded.bounce_code is null and coded.words like '%' || classes.marker || '%')
    ) as marks on coded.bounce_answer = marks.bounce_answer and marks.place = 1
{%- endmacro %}
