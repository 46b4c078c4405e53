{{ typed('shop', 'products') }}
