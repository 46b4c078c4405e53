-- For each field and count, the sources of a table add up to the whole.
select
    model_name,
    column_name
from {{ ref('field_checks') }}
group by model_name, column_name
having
    count(case when source = 'all' then 1 end) <> 1
    or (
        count(*) > 1
        and (
            sum(case when source = 'all' then n_rows else -n_rows end) <> 0
            or sum(case when source = 'all' then n_filled else -n_filled end) <> 0
            or sum(case when source = 'all' then n_valid else -n_valid end) <> 0
        )
    )
