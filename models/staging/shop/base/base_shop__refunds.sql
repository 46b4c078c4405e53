{{ typed('shop', 'refunds') }}
