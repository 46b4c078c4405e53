-- What mailroom push wrote down, each receipt once: a kill between two files can leave one in both.
{%- set columns = ledger_columns('receipts').keys() | join(', ') %}
with numbered as (
    select
        {{ columns }},
        row_number() over (partition by receipt_id order by answered_at) as place
    from {{ read_ledger('receipts') }}
)

select {{ columns }}
from numbered
where place = 1
