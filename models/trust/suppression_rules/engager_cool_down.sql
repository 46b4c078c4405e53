-- Protects the most frequent clickers from fatigue.
select
    customer_id,
    'promotional' as scope,
    last_marketing_clicked_at as since,
    {{ date_add('day', var('engager_rest_days'), 'last_marketing_clicked_at') }} as until,
    'Clicked ' || {{ counted('n_marketing_clicks_7d', 'time') }} || ' in marketing messages in 7 days.' as reason
from {{ ref('customer_message_counts') }}
where
    n_marketing_clicks_7d >= {{ var('engager_clicks_7d') }}
    and last_marketing_clicked_at > {{ date_add('day', -var('engager_rest_days'), as_of()) }}
