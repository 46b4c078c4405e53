{{ typed('esp', 'profiles') }}
