-- What is paused now: paused, and not lifted on that day or later.
select * from ({{ standing_pauses(ref('sending_pauses')) }}) as pauses
