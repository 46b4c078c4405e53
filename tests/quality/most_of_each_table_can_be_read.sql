-- No table has more rejected rows, or blanked values, than var max_flawed_share allows.
select sentence
from {{ ref('source_flaws') }}
where is_too_many
