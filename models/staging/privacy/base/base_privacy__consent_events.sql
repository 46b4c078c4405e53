{{ typed('privacy', 'consent_events') }}
