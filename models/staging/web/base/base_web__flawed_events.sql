{{ flawed('web', 'events') }}
