-- There are at most thirty segments. A warning only: more are hard to keep track of.
{{ config(severity='warn') }}
select 'There are ' || {{ counted('count(*)', 'segment') }} || '. More than thirty are hard to keep track of.' as sentence
from {{ ref('segment_catalog') }}
having count(*) > 30
