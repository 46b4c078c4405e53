-- The revenue of each order with a touch, shared among its touches by each rule. Shares are cut into cents so that they add up.
with touches as (
    select * from {{ ref('email_touches') }}
    where order_id is not null
),

weights as (
    {% for rule, weight in click_weights().items() -%}
    select
        '{{ rule }}' as rule,
        order_id,
        customer_id,
        source,
        touched_at,
        ordered_at,
        touch_number,
        n_touches,
        cast({{ weight }} as {{ double_type() }}) as weight
    from touches
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

cut_shares as (
    select
        *,
        weight / sum(weight) over (partition by rule, order_id) as share,
        sum(weight) over (partition by rule, order_id order by touch_number rows between unbounded preceding and current row)
        / sum(weight) over (partition by rule, order_id) as share_so_far
    from weights
),

-- The share before a touch is the one after the touch before it, to the last digit.
shares as (
    select
        *,
        coalesce(lag(share_so_far) over (partition by rule, order_id order by touch_number), 0) as share_before
    from cut_shares
)

select
    shares.rule,
    shares.order_id,
    shares.touch_number,
    shares.customer_id,
    shares.source,
    shares.touched_at,
    shares.ordered_at,
    shares.n_touches,
    shares.share,
    cast(
        round(cast(orders.net_revenue as {{ double_type() }}) * shares.share_so_far, 2)
        - round(cast(orders.net_revenue as {{ double_type() }}) * shares.share_before, 2)
        as decimal(18, 2)
    ) as revenue
from shares
inner join {{ ref('orders') }} as orders on shares.order_id = orders.order_id
