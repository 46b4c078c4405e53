-- Whether each field is fresh and complete enough for real-time triggers, segments and AI drafting.
with checks as (
    select * from {{ ref('field_checks') }}
    where source = 'all'
),

dictionary as (
    select * from {{ ref('field_dictionary') }}
),

-- An empty value with a meaning ("has not ordered") is usable, unless no row has a value: then the source is missing. An
-- invalid value is not usable.
field_shares as (
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
            as {{ double_type() }}
        ) / nullif(checks.n_rows, 0) as usable_share
    from checks
    inner join dictionary
        on checks.model_name = dictionary.model_name and checks.column_name = dictionary.column_name
),

field_permissions as (
    select
        *,
        coalesce(is_fresh, false) as may_steer_time_critical,
        coalesce(usable_share >= {{ var('segment_min_fill_share') }}, false) as may_carry_segment,
        serves_ai and coalesce(usable_share >= {{ var('ai_drafting_min_fill_share') }}, false) as may_feed_ai_drafting
    from field_shares
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
            then ', below the {{ (100 * var("ai_drafting_min_fill_share")) | round | int }}% required for AI drafting'
        else ', below the {{ (100 * var("segment_min_fill_share")) | round | int }}% required for segments'
    end
    || case when may_carry_segment then '' else coalesce('. The shop has no ' || not_given, '') end
    || case when serves_ai then '' else '. AI drafting is not one of its purposes' end
    || case
        when max_staleness_days is null then '. It has no date, so it must not trigger anything time-critical'
        when staleness_days is null then '. Its date was never filled, so it must not trigger anything time-critical'
        when not may_steer_time_critical
            then
                '. Its newest value is ' || {{ days_text('staleness_days') }} || ' old, over the limit of '
                || {{ days_text('max_staleness_days') }} || ' for time-critical use'
        else '. Its newest value is ' || {{ days_text('staleness_days') }} || ' old'
    end
    || '.' as reason
from field_permissions
