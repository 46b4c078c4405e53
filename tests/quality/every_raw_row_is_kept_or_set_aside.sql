-- For every raw table: rows in = rows kept + rows set aside.
select
    source_name,
    table_name,
    sum(case when outcome = 'in' then n_rows else 0 end) as n_rows_in,
    sum(case when outcome = 'in' then 0 else n_rows end) as n_rows_accounted_for
from {{ ref('source_reconciliation') }}
group by source_name, table_name
having sum(case when outcome = 'in' then n_rows else -n_rows end) <> 0
