{{ typed('shop', 'customers') }}
