-- The payload carries the same facts as the reason, for each audience and member.
{%- set days = "cast(" ~ extract_pattern('reason', '([0-9]+) days? ago') | trim ~ " as integer)" %}
{%- set every = "cast(" ~ extract_pattern('reason', 'every ([0-9]+) day') | trim ~ " as integer)" %}
{%- set ordered_on = date_add('day', '-' ~ days, as_of_day()) | trim %}
{%- set due_on = "cast(" ~ date_add('day', every ~ ' - ' ~ days, as_of_day()) | trim ~ " as date)" %}
{#- The payload is JSON, which may escape some characters: only letters and digits are compared. #}
{%- set bare = '[^\\p{L}\\p{N}]+' %}
{%- set stated_facts = {
    'refill_category': extract_pattern('reason', '^Bought (.+) [0-9]+ days? ago'),
    'refill_on': 'case when reason like ' ~ "'Bought %' then " ~ day_text(due_on) ~ ' end',
    'next_order_on': 'case when reason like ' ~ "'Usually orders every %' then " ~ day_text(due_on) ~ ' end',
    'last_ordered_on': "case when lower(reason) like '%last ordered % ago%' then " ~ day_text(ordered_on) ~ ' end',
    'n_orders': extract_pattern('reason', ', ([0-9]+) orders?[.,]'),
} %}
with payloads as (
    select * from {{ ref('audience_payloads') }}
),

facts as (
    {% for field, fact in stated_facts.items() -%}
    select
        audience,
        customer_id,
        reason,
        '{{ field }}' as field,
        {{ replace_pattern(fact | trim, bare) | trim }} as stated,
        {{ replace_pattern(field, bare) | trim }} as carried
    from payloads
    where {{ field }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    audience,
    customer_id,
    field,
    'Audience ' || audience || ' carries ' || field || ' ' || carried || ' for ' || customer_id || ', but its reason is: ' || reason
        as sentence
from facts
where stated <> carried
