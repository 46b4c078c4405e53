{{ repeats('esp', 'message_events') }}
