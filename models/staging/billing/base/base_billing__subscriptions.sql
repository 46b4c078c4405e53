{{ typed('billing', 'subscriptions') }}
