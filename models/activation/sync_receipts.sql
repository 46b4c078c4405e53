-- What mailroom push wrote down, each receipt once: a kill between two files can leave one in both.
with files as (
    select * from {{ read_ledger(activation_folder() ~ '/receipts', receipt_columns()) }}
),

numbered as (
    select
        *,
        row_number() over (partition by receipt_id order by answered_at) as place
    from files
)

select {{ receipt_columns().keys() | join(', ') }}
from numbered
where place = 1
