{{ typed('privacy', 'requests') }}
