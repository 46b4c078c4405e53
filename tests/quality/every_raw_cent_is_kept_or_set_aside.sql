-- For every raw table with money: amount in = amount kept + amount set aside.
select
    source_name,
    table_name,
    sum(case when outcome = 'in' then amount else 0 end) as amount_in,
    sum(case when outcome = 'in' then 0 else amount end) as amount_accounted_for
from {{ ref('source_reconciliation') }}
where amount is not null
group by source_name, table_name
having sum(case when outcome = 'in' then amount else -amount end) <> 0
