-- Receipts of mailroom push, each once: if a push is killed between two files, both can contain a receipt. Receipts of
-- earlier versions have no sequence. They come first, in order of time.
{%- set columns = ledger_columns('receipts').keys() | reject('equalto', 'sequence') | join(', ') %}
with numbered_receipts as (
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
from numbered_receipts
where place = 1
