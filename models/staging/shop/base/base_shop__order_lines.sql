{{ typed('shop', 'order_lines') }}
