-- Every campaign of the calendar goes to a segment that exists.
select
    calendar.campaign,
    calendar.segment
from {{ ref('campaign_calendar') }} as calendar
left join {{ ref('segment_catalog') }} as segments on calendar.segment = segments.segment
where segments.segment is null
