{{ typed('billing', 'subscription_orders') }}
