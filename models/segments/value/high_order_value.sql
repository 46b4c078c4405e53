-- Enters among the top by average order, and stays somewhat below it.
select
    customer_id,
    order_value_band = 'high' as may_enter,
    'Spends ' || cast(average_order_value as {{ dbt.type_string() }}) || ' {{ var("currency") }} an order after refunds, more than '
    || {{ percent_text('order_value_rank_share') }} || ' of buyers, ' || {{ counted('n_orders', 'order') }} || '.' as reason
from {{ ref('customer_values') }}
where order_value_rank_share >= 1 - {{ var('high_order_value_share') }} - {{ var('high_order_value_band_share') }}
