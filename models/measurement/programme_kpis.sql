-- The programme by day, source and kind of customer. Each number is of its own day: a click on the day of the click, an order on the day
-- of the order, credited to the last click before it. Refunds and cancellations change the day of the order, however late.
{%- set counts = ['n_sent', 'n_delivered', 'n_opened', 'n_clicked', 'n_unsubscribed', 'n_complained', 'n_bounced', 'n_hard_bounced', 'n_blocked'] %}
{%- set dimensions = ['lifecycle_stage', 'mailbox_provider', 'engagement_tier', 'holdout_arm'] %}
with customer_kinds as (
    select * from {{ ref('customer_kinds') }}
),

campaigns as (
    select
        campaign_id,
        campaign_name,
        source
    from {{ ref('message_sources') }}
),

-- By the id or the name in the link.
sessions as (
    select
        sessions.customer_id,
        {{ day_of('sessions.started_at') }} as kpi_on,
        campaigns.source,
        sessions.n_cart_adds
    from {{ ref('web_sessions') }} as sessions
    inner join campaigns on sessions.utm_campaign = campaigns.campaign_id
    where sessions.started_at <= {{ as_of() }}
),

orders as (
    select
        customer_id,
        {{ day_of('ordered_at') }} as kpi_on,
        source,
        order_id,
        revenue
    from {{ ref('order_credits') }}
    where rule = 'last' and share > 0
),

-- Of no campaign: the list grows and decays by itself.
joins as (
    select
        customer_id,
        {{ day_of('changed_at') }} as kpi_on,
        'list' as source,
        case when change = 'joined' then 1 else 0 end as n_joined,
        case when change = 'left' then 1 else 0 end as n_left
    from {{ ref('list_changes') }}
),

parts as (
    select
        kpi_on,
        source,
        {% for dimension in dimensions -%}
        {{ dimension }},
        {% endfor -%}
        {% for count in counts -%}
        {{ count }},
        {% endfor -%}
        0 as n_sessions,
        0 as n_cart_sessions,
        0 as n_orders,
        0 as n_joined,
        0 as n_left,
        cast(0 as decimal(18, 2)) as revenue
    from {{ ref('email_source_days') }}
    where kpi_on <= {{ as_of_day() }}
    {% for part, values in [
        ('sessions', {'n_sessions': '1', 'n_cart_sessions': 'case when sessions.n_cart_adds > 0 then 1 else 0 end'}),
        ('orders', {'n_orders': '1', 'revenue': 'orders.revenue'}),
        ('joins', {'n_joined': 'joins.n_joined', 'n_left': 'joins.n_left'})
    ] -%}
    union all
    select
        {{ part }}.kpi_on,
        {{ part }}.source,
        {% for dimension in dimensions -%}
        coalesce(customer_kinds.{{ dimension }}, '{{ 'none' if dimension == 'holdout_arm' else 'unknown' }}') as {{ dimension }},
        {% endfor -%}
        {% for count in counts + ['n_sessions', 'n_cart_sessions', 'n_orders', 'n_joined', 'n_left'] -%}
        {{ values.get(count, '0') }} as {{ count }},
        {% endfor -%}
        cast({{ values.get('revenue', '0') }} as decimal(18, 2)) as revenue
    from {{ part }}
    left join customer_kinds on {{ part }}.customer_id = customer_kinds.customer_id
    {% endfor %}
)

select
    kpi_on,
    source,
    {% for dimension in dimensions -%}
    {{ dimension }},
    {% endfor -%}
    {% for count in counts + ['n_sessions', 'n_cart_sessions', 'n_orders', 'n_joined', 'n_left'] -%}
    cast(sum({{ count }}) as bigint) as {{ count }},
    {% endfor -%}
    cast(sum(revenue) as decimal(18, 2)) as revenue
from parts
group by
    kpi_on,
    source,
    {% for dimension in dimensions -%}
    {{ dimension }}{{ ',' if not loop.last }}
    {% endfor %}
