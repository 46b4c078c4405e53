{{ flawed('esp', 'message_events') }}
