-- What mailroom push was told to send all the same.
select distinct {{ ledger_columns('overrides').keys() | join(', ') }}
from {{ read_ledger('overrides') }}
