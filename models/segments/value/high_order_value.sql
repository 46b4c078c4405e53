-- Enters among the top by average order, and stays somewhat below it: a place at least, or two who take turns would come and
-- go.
with ranked as (
    select
        *,
        count(order_value_rank_share) over () as n_ranked
    from {{ ref('rfm_scores') }}
)

select
    customer_id,
    order_value_band = 'high' as may_enter,
    'Spends ' || cast(average_order_value as {{ dbt.type_string() }}) || ' {{ var("currency") }} an order after refunds, more than '
    || {{ percent_text('order_value_rank_share') }} || ' of buyers, ' || {{ counted('n_orders', 'order') }} || '.' as reason
from ranked
-- As many as have at least so much.
where
    round(n_ranked * (1 - order_value_rank_share))
    <= {{ var('high_order_value_share') }} * n_ranked + greatest(1, {{ var('high_order_value_band_share') }} * n_ranked)
