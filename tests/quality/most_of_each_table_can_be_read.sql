-- Of no table more rows are set aside, or lose a value, than var max_flawed_share allows.
select sentence
from {{ ref('source_flaws') }}
where is_too_many
