{{ typed('shop', 'orders') }}
