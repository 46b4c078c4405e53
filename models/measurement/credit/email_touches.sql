-- Clicks by people, each with the order that it may have led to: the customer's first order within the window after it. Opens are no
-- touches, because machines open too. Of several clicks on one source in a row, the last one counts.
{% set hours = var('attribution_hours') -%}
with clicks as (
    select
        events.customer_id,
        coalesce(sources.source, 'unknown') as source,
        events.occurred_at as touched_at
    from {{ ref('email_events') }} as events
    left join {{ ref('message_sources') }} as sources on events.campaign_id = sources.campaign_id
    where
        events.event_type = 'clicked'
        and not coalesce(events.is_machine, false)
        and coalesce(events.message_class, 'promotional') <> 'transactional'
        and events.occurred_at <= {{ as_of() }}
        and events.occurred_at > {{ date_add('day', -var('attribution_days'), as_of()) }}
    group by events.customer_id, coalesce(sources.source, 'unknown'), events.occurred_at
),

orders as (
    select
        customer_id,
        order_id,
        ordered_at
    from {{ ref('orders') }}
    where is_sale and ordered_at <= {{ as_of() }} and ordered_at > {{ date_add('day', -var('attribution_days'), as_of()) }}
),

candidates as (
    select
        clicks.*,
        orders.order_id,
        orders.ordered_at,
        row_number() over (
            partition by clicks.customer_id, clicks.source, clicks.touched_at order by orders.ordered_at asc, orders.order_id asc
        ) as place
    from clicks
    left join orders
        on
            clicks.customer_id = orders.customer_id
            and clicks.touched_at <= orders.ordered_at
            and {{ date_add('hour', hours, 'clicks.touched_at') }} >= orders.ordered_at
),

-- Clicks without an order are one path until a window passes without a click.
gaps as (
    select
        *,
        case
            when
                {{ date_add('hour', hours, "lag(touched_at) over (partition by customer_id, coalesce(order_id, '') order by touched_at, source)") }}
                >= touched_at
                then 0
            else 1
        end as begins
    from candidates
    where place = 1
),

paths as (
    select
        *,
        case
            when order_id is not null then 'order/' || order_id
            else
                'none/' || customer_id || '/'
                || cast(
                    sum(begins) over (
                        partition by customer_id, coalesce(order_id, '') order by touched_at, source rows between unbounded preceding and current row
                    ) as {{ dbt.type_string() }}
                )
        end as path_id
    from gaps
),

following_sources as (
    select
        *,
        lead(source) over (partition by path_id order by touched_at, source) as next_source
    from paths
)

select
    path_id,
    customer_id,
    order_id,
    ordered_at,
    source,
    touched_at,
    row_number() over (partition by path_id order by touched_at, source) as touch_number,
    count(*) over (partition by path_id) as n_touches
from following_sources
where source is distinct from next_source
