{# Mail that was refused: by the person, or by their mailbox. A no is never too late, so these are read whole in each build. #}
{% macro refusals() %}{{ return(['bounced', 'complained', 'unsubscribed']) }}{% endmacro %}

{% macro is_refusal() %}{{ return("event_type in ('" ~ refusals() | join("', '") ~ "')") }}{% endmacro %}


{# Whether a day has events of the ESP's own feed: refusals are pulled besides, and come when the feed does not. #}
{% macro has_feed_events() -%}
    n_emails_sent + n_emails_delivered + n_human_opens + n_human_clicks + n_machine_events > 0
{%- endmacro %}
