{{ repeats('web', 'events') }}
