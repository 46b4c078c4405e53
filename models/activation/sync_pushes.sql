-- What mailroom push did, also where there was nothing to do.
select distinct {{ ledger_columns('pushes').keys() | join(', ') }}
from {{ read_ledger('pushes') }}
