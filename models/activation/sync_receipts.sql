-- What mailroom push wrote down, each receipt once: a kill between two files can leave one in both. Receipts of earlier
-- versions have no number: they come first, in the order of their clock.
{%- set columns = ledger_columns('receipts').keys() | reject('equalto', 'sequence') | join(', ') %}
with numbered as (
    select
        {{ columns }},
        coalesce(
            sequence,
            cast({{ seconds_between("cast('2100-01-01' as timestamp)", 'answered_at') }} * 1000000 as bigint)
        ) as sequence,
        row_number() over (partition by receipt_id order by answered_at) as place
    from {{ read_ledger('receipts') }}
)

select
    {{ columns }},
    sequence
from numbered
where place = 1
