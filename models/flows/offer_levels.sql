-- The discount that a message with an offer may carry, for each customer: the first rule that holds decides. message_decisions
-- records what was offered.
-- Longer than 120 lines because each CTE before the rules gives a fact to one of them.
{%- set shares = var('offer_shares') %}
with orders as (
    select
        customer_id,
        order_id,
        ordered_at,
        net_amount,
        cost_amount,
        coalesce(discount_amount, 0) <> 0 as is_discounted,
        row_number() over (partition by customer_id order by ordered_at desc, order_id desc) as newest_first
    from {{ ref('orders') }}
    where is_sale and ordered_at <= {{ as_of() }}
),

-- Costs may be unknown for some orders.
buyers as (
    select
        customer_id,
        min(case when newest_first = 1 and not is_discounted then ordered_at end) as full_price_at,
        count(case when newest_first <= 2 and is_discounted then 1 end) as n_discounted_of_last_two,
        sum(case when cost_amount is not null then cost_amount end) as known_cost,
        sum(case when cost_amount is not null then net_amount end) as amount_with_cost
    from orders
    group by customer_id
),

shop as (
    select cast(sum(known_cost) as {{ double_type() }}) / nullif(sum(amount_with_cost), 0) as cost_share
    from buyers
),

-- Carts about which a message with an offer went out, or did not.
reminded_carts as (
    select
        customer_id,
        enrolment_id,
        max(case when offer_share > 0 then 1 else 0 end) as had_offer,
        row_number() over (partition by customer_id order by max(decided_at) desc, enrolment_id asc) as newest_first
    from {{ ref('past_decisions') }}
    where is_abandon and decision = 'send'
    group by customer_id, enrolment_id
),

offered_carts as (
    select
        customer_id,
        sum(had_offer) as n_offers
    from reminded_carts
    where newest_first <= 2
    group by customer_id
),

spent as (
    select coalesce(sum(offer_cost), 0) as amount
    from {{ ref('past_decisions') }}
    where decision = 'send' and decided_at > {{ date_add('hour', -168, as_of()) }}
),

due_offers as (
    select
        customer_id,
        count(*) as n_offers
    from {{ ref('flow_steps_due') }}
    where has_offer and is_due and not is_held_out
    group by customer_id
),

facts as (
    select
        customers.customer_id,
        customers.average_order_value,
        buyers.full_price_at,
        coalesce(buyers.n_discounted_of_last_two, 0) = 2 or coalesce(offered_carts.n_offers, 0) = 2 as would_wait,
        churn.state,
        churn.band,
        habits.n_orders,
        habits.n_discounted_orders,
        coalesce(habits.is_full_price_buyer, false) as is_full_price_buyer,
        due_offers.customer_id is not null as is_due,
        {{ is_in_share("'holdout:offers:' || customers.customer_id", var('offer_holdout_share')) }} as is_held_out,
        -- The customer's own goods, else all goods, else the stated margin.
        1 - coalesce(
            cast(buyers.known_cost as {{ double_type() }}) / nullif(buyers.amount_with_cost, 0), shop.cost_share, {{ 1 - var('offer_stated_margin_share') }}
        ) as margin_share,
        cast(
            case churn.band
                {%- for band, level in var('offer_levels_by_band').items() %}
                when '{{ band }}' then {{ level }}
                {%- endfor %}
                else 0
            end as integer
        ) as band_level,
        coalesce(habits.is_discount_driven, false) as is_discount_driven
    from {{ ref('customers') }} as customers
    cross join shop
    left join buyers on customers.customer_id = buyers.customer_id
    left join offered_carts on customers.customer_id = offered_carts.customer_id
    left join {{ ref('churn_scores') }} as churn on customers.customer_id = churn.customer_id
    left join {{ ref('rfm_scores') }} as habits on customers.customer_id = habits.customer_id
    left join due_offers on customers.customer_id = due_offers.customer_id
),

-- A discount habit asks for one level more.
wanted_levels as (
    select
        *,
        case
            when band_level > 0
                then least(band_level + case when is_discount_driven then 1 else 0 end, {{ shares | length }})
            else 0
        end as wanted_level,
        -- With price 1 and cost 1 - margin, a discount d leaves the margin 1 - (1 - margin) / (1 - d).
        1 - (1 - margin_share) / {{ 1 - var('offer_min_margin_share') }} as highest_share
    from facts
),

offered_shares as (
    select
        *,
        case wanted_level
            {%- for share in shares %}
            when {{ loop.index }} then {{ share }}
            {%- endfor %}
            else 0
        end as wanted_share,
        case
            {%- for share in shares | reverse %}
            when wanted_level >= {{ loop.revindex }} and highest_share >= {{ share }} - 0.000000001 then {{ share }}
            {%- endfor %}
            else 0
        end as allowed_share
    from wanted_levels
),

costs as (
    select
        *,
        cast(round(allowed_share * coalesce(average_order_value, 0), 2) as decimal(18, 2)) as cost
    from offered_shares
),

first_rules as (
    select
        *,
        case
            when coalesce(state, 'never_bought') <> 'scored' then 'no_score'
            when is_full_price_buyer then 'full_price'
            when full_price_at > {{ date_add('day', -var('offer_full_price_days'), as_of()) }} then 'full_price_lately'
            when would_wait then 'would_wait'
            when wanted_level = 0 then 'no_need'
            when allowed_share = 0 then 'margin_floor'
            when is_held_out then 'holdout'
        end as rule
    from costs
),

-- Every offer that is due in this build counts as if it went out and was used: the highest level first, then the largest average order.
ranked_offers as (
    select
        *,
        sum(case when is_due and rule is null then cost else 0 end) over (
            order by
                case when is_due and rule is null then 0 else 1 end asc,
                wanted_level desc,
                average_order_value desc,
                customer_id asc
            rows between unbounded preceding and current row
        ) as cost_so_far
    from first_rules
),

decided_offers as (
    select
        ranked_offers.*,
        case
            when ranked_offers.rule is null and spent.amount + ranked_offers.cost_so_far > {{ var('offer_weekly_budget') }} and ranked_offers.is_due then 'budget'
            else coalesce(ranked_offers.rule, 'offer')
        end as deciding_rule
    from ranked_offers
    cross join spent
)

select
    customer_id,
    deciding_rule as rule,
    cast(case when deciding_rule = 'offer' then allowed_share else 0 end as {{ double_type() }}) as offer_share,
    cast(case when deciding_rule = 'offer' then cost else 0 end as decimal(18, 2)) as offer_cost,
    cast(wanted_share as {{ double_type() }}) as wanted_share,
    cast(margin_share as {{ double_type() }}) as margin_share,
    is_held_out,
    is_due,
    case deciding_rule
        when 'no_score'
            then case when state is null then 'Has not ordered yet.' else 'No score: the customer refused profiling.' end
        when 'full_price' then 'None of ' || {{ counted('n_orders', 'order') }} || ' was discounted.'
        when 'full_price_lately'
            then 'Ordered at full price on ' || {{ day_text('full_price_at') }} || ', less than {{ var("offer_full_price_days") }} days ago.'
        when 'would_wait' then 'The last two carts had a discount. One more would teach the customer to wait for it.'
        when 'no_need'
            then case band when 'lost' then 'Churn band lost: an offer is unlikely to pay.' else 'Churn band ' || band || ': no offer needed.' end
        when 'margin_floor'
            then
                'The margin is ' || {{ percent_text('greatest(margin_share, 0)') }}
                || '. No discount leaves {{ (100 * var("offer_min_margin_share")) | round | int }}%.'
        when 'holdout' then 'Held out to measure offers.'
        when 'budget' then 'The budget of the week is used up.'
        else
            'Churn band ' || band || case when is_discount_driven then ', and ' || cast(n_discounted_orders as {{ dbt.type_string() }}) || ' of '
            || {{ counted('n_orders', 'order') }} || ' were discounted' else '' end || ': ' || {{ percent_text('allowed_share') }} || '.'
    end as reason,
    {{ as_of() }} as decided_at
from decided_offers
