-- There are thirty segments at most: nobody keeps more in mind. A warning.
{{ config(severity='warn') }}
select 'There are ' || {{ counted('count(*)', 'segment') }} || '; more than thirty are hard to keep in mind.' as sentence
from {{ ref('segment_catalog') }}
having count(*) > 30
