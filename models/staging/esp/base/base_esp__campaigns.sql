{{ typed('esp', 'campaigns') }}
