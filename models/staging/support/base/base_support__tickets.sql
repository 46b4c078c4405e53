{{ typed('support', 'tickets') }}
