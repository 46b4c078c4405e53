-- Quarterly: which fields do not meet their entry in field_dictionary, and in which source? Most rows first.
select
    checks.model_name,
    checks.column_name,
    checks.source,
    checks.n_rows,
    checks.fill_share,
    dictionary.min_fill_share,
    checks.valid_share,
    checks.finding
from {{ ref('field_checks') }} as checks
inner join {{ ref('field_dictionary') }} as dictionary
    on checks.model_name = dictionary.model_name and checks.column_name = dictionary.column_name
where
    checks.n_rows > 0
    and (not checks.is_filled_enough or not checks.is_valid or not coalesce(checks.is_fresh, true))
order by
    checks.n_rows * greatest(dictionary.min_fill_share - checks.fill_share, 0) desc,
    checks.n_rows desc,
    checks.model_name,
    checks.column_name,
    checks.source
