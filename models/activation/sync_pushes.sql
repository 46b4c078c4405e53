-- Results of mailroom push, including pushes without rows.
select distinct {{ ledger_columns('pushes').keys() | join(', ') }}
from {{ read_ledger('pushes') }}
