-- What others obey: a flow asks before it acts on a field at once, a segment before it stands on it, drafting before
-- it reads it.
with checks as (
    select * from {{ ref('field_checks') }}
    where source = 'all'
),

dictionary as (
    select * from {{ ref('field_dictionary') }}
),

-- An empty value that is an answer ("has not ordered") is as good as a filled one, unless nobody has a value at all:
-- then the source is missing. One that is not valid is not usable.
usable as (
    select
        checks.model_name,
        checks.column_name,
        checks.staleness_days,
        checks.is_fresh,
        dictionary.max_staleness_days,
        dictionary.not_given,
        dictionary.purposes like '%ai_recommendations%' as serves_ai,
        cast(
            checks.n_valid + case
                when dictionary.empty_means is not null and checks.n_filled > 0 then checks.n_rows - checks.n_filled else 0
            end
            as {{ dbt.type_float() }}
        ) / nullif(checks.n_rows, 0) as usable_share
    from checks
    inner join dictionary
        on checks.model_name = dictionary.model_name and checks.column_name = dictionary.column_name
),

decided as (
    select
        *,
        coalesce(is_fresh, false) as may_steer_time_critical,
        coalesce(usable_share >= {{ var('segment_min_fill_share') }}, false) as may_carry_segment,
        serves_ai and coalesce(usable_share >= {{ var('ai_drafting_min_fill_share') }}, false) as may_feed_ai_drafting
    from usable
)

select
    model_name,
    column_name,
    usable_share,
    staleness_days,
    may_steer_time_critical,
    may_carry_segment,
    may_feed_ai_drafting,
    case
        when usable_share is null then 'No rows'
        else {{ percent_text('usable_share') }} || ' of rows have a usable value'
    end
    || case
        when may_carry_segment and (may_feed_ai_drafting or not serves_ai) then ''
        when may_carry_segment
            then ': under the {{ (100 * var("ai_drafting_min_fill_share")) | round | int }}% AI drafting needs'
        else ': under the {{ (100 * var("segment_min_fill_share")) | round | int }}% a segment needs'
    end
    || case when may_carry_segment then '' else coalesce('; the shop has no ' || not_given, '') end
    || case when serves_ai then '' else '; AI drafting is none of its purposes' end
    || case
        when max_staleness_days is null then '; it has no date, so nothing time-critical may rest on it'
        when staleness_days is null then '; its date was never filled, so nothing time-critical may rest on it'
        when not may_steer_time_critical
            then
                '; its newest value is ' || {{ days_text('staleness_days') }} || ' old, too old at more than '
                || {{ days_text('max_staleness_days') }} || ' for anything time-critical'
        else '; its newest value is ' || {{ days_text('staleness_days') }} || ' old'
    end
    || '.' as reason
from decided
