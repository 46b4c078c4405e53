-- What mailroom push was told to send all the same.
select {{ override_columns().keys() | join(', ') }}
from {{ read_ledger(activation_folder() ~ '/overrides', override_columns()) }}
