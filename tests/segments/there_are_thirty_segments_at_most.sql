-- There are thirty segments at most: nobody keeps more in mind. A warning.
{{ config(severity='warn') }}
select count(*) as n_segments
from {{ ref('segment_catalog') }}
having count(*) > 30
