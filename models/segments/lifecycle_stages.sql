-- Computed from the order history alone, so it can be rebuilt as of any day. The usual time between orders changes only
-- with orders, so time alone never leads back to an earlier stage. A customer with a running subscription is active. After
-- a cancellation, a customer who is not active or new by other orders is lapsed from that day.
-- Longer than 120 lines because the stage, its beginning, the stage before and the sentence follow from the same dates and
-- change together.
{% set by_rhythm = var('lifecycle_by_own_rhythm') %}
with customers as (
    select
        *,
        {{ days_since('last_ordered_at') }} as days_since_last_order,
        n_active_subscriptions > 0 as is_subscriber,
        {{ subscription_ended_at() }} as cancelled_at,
        -- A customer first seen with the first order was never in stage never_purchased.
        case
            when {{ day_of('first_seen_at') }} < {{ day_of('first_ordered_at') }} then 'never_purchased'
        end as stage_before_first_order
    from {{ ref('customers') }}
),

sales as (
    select
        customer_id,
        sale_number,
        days_since_previous_order,
        ordered_at
    from {{ ref('orders') }}
    where sale_number > 1
),

{% if by_rhythm -%}
gaps as (
    select
        *,
        row_number() over (partition by customer_id order by sale_number) as gap_number
    from sales
    where days_since_previous_order > 0
),

-- Usual time between orders before a gap. A short gap is never a return.
usual_before as (
    select
        later.customer_id,
        later.sale_number,
        {{ median('earlier.days_since_previous_order') }} as usual_days
    from gaps as later
    inner join gaps as earlier
        on
            later.customer_id = earlier.customer_id
            and earlier.gap_number between later.gap_number - {{ var('rhythm_newest_intervals') }} and later.gap_number - 1
    where later.days_since_previous_order > least({{ stage_days('active', 0) }}, {{ var('active_days') }})
    group by later.customer_id, later.sale_number
    having count(*) >= {{ var('rhythm_min_intervals') }}
),

{% endif -%}
-- Active begins with the second order, and again with the next order after a long gap.
returns as (
    select
        sales.customer_id,
        sales.sale_number,
        sales.days_since_previous_order,
        {{ 'usual_before.usual_days' if by_rhythm else 'cast(null as ' ~ double_type() ~ ')' }} as usual_days,
        {{ day_of('sales.ordered_at') }} as returned_on
    from sales
    {%- if by_rhythm %}
    left join usual_before
        on sales.customer_id = usual_before.customer_id and sales.sale_number = usual_before.sale_number
    {%- endif %}
    where
        sales.sale_number = 2
        or sales.days_since_previous_order > {{ stage_days('active', 'usual_before.usual_days') }}
),

last_returns as (
    select
        customer_id,
        max(sale_number) as sale_number,
        {{ value_at_max('days_since_previous_order', 'sale_number', is_unique=true) }} as days_since_previous_order,
        {{ value_at_max('coalesce(usual_days, -1)', 'sale_number', is_unique=true) }} as usual_days,
        {{ value_at_max('returned_on', 'sale_number', is_unique=true) }} as returned_on
    from returns
    group by customer_id
),

order_stages as (
    select
        customers.*,
        last_returns.sale_number as return_number,
        last_returns.days_since_previous_order as return_gap_days,
        nullif(last_returns.usual_days, -1) as return_usual_days,
        last_returns.returned_on,
        {{ lifecycle_stage('customers.n_orders', 'customers.days_since_last_order', 'customers.usual_days_between_orders') }} as stage_by_orders
    from customers
    left join last_returns on customers.customer_id = last_returns.customer_id
),

customer_stages as (
    select
        *,
        coalesce(is_subscriber and stage_by_orders <> 'active', false) as is_active_by_subscription,
        case
            when is_subscriber then 'active'
            when stage_by_orders in ('first_time_buyer', 'second_order_window', 'active') or cancelled_at is null then stage_by_orders
            when {{ days_since('cancelled_at') }} > {{ var('lapsed_days') }} then 'dormant'
            else 'lapsed'
        end as stage
    from order_stages
),

dated_stages as (
    select
        *,
        case
            when is_active_by_subscription then {{ day_of('coalesce(subscribed_since, first_seen_at)') }}
            when cancelled_at is not null and stage = 'lapsed' then {{ day_of('cancelled_at') }}
            when cancelled_at is not null and stage = 'dormant'
                then cast({{ date_add('day', 1 + var('lapsed_days'), day_of('cancelled_at') | trim) }} as date)
            else
                case stage
                    when 'never_purchased' then {{ day_of('first_seen_at') }}
                    when 'first_time_buyer' then {{ day_of('first_ordered_at') }}
                    when 'active' then returned_on
                    else
                        cast({{ date_add(
                            'day',
                            "case stage when 'second_order_window' then " ~ (var('first_time_buyer_days') + 1)
                            ~ " when 'at_risk' then 1 + " ~ stage_days('active', 'usual_days_between_orders')
                            ~ " when 'lapsed' then 1 + " ~ stage_days('at_risk', 'usual_days_between_orders')
                            ~ " else 1 + " ~ stage_days('lapsed', 'usual_days_between_orders') ~ " end",
                            day_of('last_ordered_at') | trim
                        ) }} as date)
                end
        end as since,
        case
            when is_active_by_subscription then cast(null as {{ dbt.type_string() }})
            when cancelled_at is not null and stage = 'lapsed' then 'active'
            when stage = 'first_time_buyer' then stage_before_first_order
            when stage = 'second_order_window' then 'first_time_buyer'
            when stage = 'active' and return_number = 2 and return_gap_days = 0 then stage_before_first_order
            when stage = 'active' then {{ lifecycle_stage('(return_number - 1)', 'return_gap_days', 'return_usual_days') }}
            when stage = 'at_risk' and n_orders = 1 then 'second_order_window'
            when stage = 'at_risk' then 'active'
            when stage = 'lapsed' then 'at_risk'
            when stage = 'dormant' then 'lapsed'
        end as previous_stage
    from customer_stages
),

ranked_buyers as (
    select
        customer_id,
        count(*) over () as n_buyers,
        row_number() over (order by revenue_365d desc, last_ordered_at desc, customer_id asc) as place
    from customers
    where days_since_last_order <= 365 and revenue_365d > 0
)

select
    dated_stages.customer_id,
    dated_stages.stage,
    dated_stages.previous_stage,
    dated_stages.since,
    dated_stages.n_orders,
    cast(dated_stages.days_since_last_order as bigint) as days_since_last_order,
    coalesce(ranked_buyers.place - 1 < {{ var('vip_share') }} * ranked_buyers.n_buyers, false) as is_vip,
    cast(ranked_buyers.place as bigint) as revenue_place,
    cast(ranked_buyers.n_buyers as bigint) as n_ranked_buyers,
    case
        when dated_stages.is_subscriber
            then
                'Has ' || {{ counted('dated_stages.n_active_subscriptions', 'running subscription') }}
                || coalesce(', next charged on ' || {{ day_text('dated_stages.next_charge_at') }}, '') || '. '
        when dated_stages.cancelled_at is not null
            then 'Cancelled a subscription on ' || {{ day_text('dated_stages.cancelled_at') }} || ' and has not ordered since. '
        else ''
    end || case
        when dated_stages.n_orders = 0
            then
                case
                    when dated_stages.n_renewals > 0 then 'Has ordered subscription renewals only'
                    when dated_stages.net_revenue < 0 then 'Has a refund for an order that is not on record'
                    else 'Has never ordered'
                end
                || coalesce(', known since ' || {{ day_text('dated_stages.first_seen_at') }}, '') || '.'
        else
            'Last ordered ' || {{ counted('dated_stages.days_since_last_order', 'day') }} || ' ago ('
            || {{ day_text('dated_stages.last_ordered_at') }} || '), ' || {{ counted('dated_stages.n_orders', 'order') }}
            {%- if by_rhythm %}
            || case
                when dated_stages.usual_days_between_orders is null
                    then ', no usual rhythm yet, so the defaults of {{ var("first_time_buyer_days") }}, {{ var("active_days") }}, '
                        || '{{ var("at_risk_days") }} and {{ var("lapsed_days") }} days apply'
                else
                    ', usually every ' || {{ counted('cast(floor(dated_stages.usual_days_between_orders + 0.5) as bigint)', 'day') }}
                    {%- for stage in ['active', 'at_risk', 'lapsed'] %}
                    || '{{ ", " if not loop.first else ": " }}{{ stage | replace("_", " ") }} until day '
                    || cast({{ stage_days(stage, 'dated_stages.usual_days_between_orders') }} as {{ dbt.type_string() }})
                    {%- endfor %}
            end
            {%- endif %}
            || '.'
    end as sentence
from dated_stages
left join ranked_buyers on dated_stages.customer_id = ranked_buyers.customer_id
