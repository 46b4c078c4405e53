-- Guards that mailroom push was asked to override.
select distinct {{ ledger_columns('overrides').keys() | join(', ') }}
from {{ read_ledger('overrides') }}
