-- Entering needs a higher rank than staying. The band is at least one rank, so that two customers who swap ranks both stay.
with ranked_buyers as (
    select
        *,
        count(order_value_rank_share) over () as n_ranked
    from {{ ref('rfm_scores') }}
)

select
    customer_id,
    order_value_band = 'high' as may_enter,
    'Spends ' || cast(average_order_value as {{ dbt.type_string() }}) || ' {{ var("currency") }} per order after refunds, more than '
    || {{ percent_text('order_value_rank_share') }} || ' of buyers, ' || {{ counted('n_orders', 'order') }} || '.' as reason
from ranked_buyers
-- The left side is the number of buyers with at least this average.
where
    round(n_ranked * (1 - order_value_rank_share))
    <= {{ var('high_order_value_share') }} * n_ranked + greatest(1, {{ var('high_order_value_band_share') }} * n_ranked)
