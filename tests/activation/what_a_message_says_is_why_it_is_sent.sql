-- What a message says is why it is sent: what a reason names is what the payload carries, for each audience.
{%- set days = "cast(" ~ extract_pattern('reason', '([0-9]+) days? ago') | trim ~ " as integer)" %}
{%- set every = "cast(" ~ extract_pattern('reason', 'every ([0-9]+) day') | trim ~ " as integer)" %}
{%- set ordered_on = dbt.dateadd('day', '-' ~ days, as_of_day()) | trim %}
{%- set due_on = "cast(" ~ dbt.dateadd('day', every ~ ' - ' ~ days, as_of_day()) | trim ~ " as date)" %}
{#- The payload is JSON: signs that it may write otherwise are left out on both sides. #}
{%- set bare = '[^\\p{L}\\p{N}]+' %}
{%- set said = {
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
    {% for field, fact in said.items() -%}
    select
        audience,
        customer_id,
        reason,
        '{{ field }}' as field,
        {{ replace_pattern(fact | trim, bare) | trim }} as said,
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
    audience || ' says of ' || customer_id || ' ' || field || ' ' || carried || ', and its reason is: ' || reason as sentence
from facts
where said <> carried
