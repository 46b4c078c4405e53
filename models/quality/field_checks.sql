with counts as (
    select * from {{ ref('field_counts') }}
),

dictionary as (
    select * from {{ ref('field_dictionary') }}
),

-- A field may be dated by a column of another table. That column then gives its newest value.
dates as (
    select
        model_name || '.' || column_name as dated_by,
        newest_at
    from counts
    where source = 'all'
),

field_measures as (
    select
        counts.model_name,
        counts.column_name,
        counts.source,
        counts.n_rows,
        counts.n_filled,
        counts.n_valid,
        counts.n_distinct,
        cast(counts.n_filled as {{ double_type() }}) / nullif(counts.n_rows, 0) as fill_share,
        cast(counts.n_valid as {{ double_type() }}) / nullif(counts.n_filled, 0) as valid_share,
        dictionary.min_fill_share,
        dictionary.not_given,
        coalesce(', ' || dictionary.given_by || ',' like '%, ' || counts.source || ',%', dictionary.not_given is null) as is_required,
        dictionary.max_staleness_days,
        coalesce(counts.newest_at, dates.newest_at) as newest_at
    from counts
    inner join dictionary
        on counts.model_name = dictionary.model_name and counts.column_name = dictionary.column_name
    left join dates on dictionary.dated_by = dates.dated_by
),

aged_fields as (
    select
        *,
        {{ seconds_between('newest_at', as_of()) }} / 86400 as staleness_days
    from field_measures
),

checked_fields as (
    select
        *,
        case when fill_share >= min_fill_share then true when is_required then false end as is_filled_enough,
        n_valid = n_filled as is_valid,
        case
            when max_staleness_days is not null then coalesce(staleness_days <= max_staleness_days, false)
        end as is_fresh
    from aged_fields
)

select
    model_name,
    column_name,
    source,
    n_rows,
    n_filled,
    n_valid,
    n_distinct,
    fill_share,
    valid_share,
    cast(staleness_days as {{ double_type() }}) as staleness_days,
    is_filled_enough,
    is_valid,
    is_fresh,
    case
        when n_rows = 0 then 'No rows.'
        else
            {{ percent_text('fill_share') }} || ' filled'
            || case
                when is_filled_enough then ''
                when not is_required then '. The shop has no ' || not_given
                else ', below the required ' || {{ percent_text('min_fill_share') }}
            end
            || case
                when is_valid then ''
                else '. ' || {{ counted('n_filled - n_valid', 'invalid value') }}
            end
            || case
                when is_fresh is null then ''
                when newest_at is null then '. No date to check its age'
                else '. Newest value ' || {{ days_text('staleness_days') }} || ' old'
            end
            || case
                when newest_at is null or coalesce(is_fresh, true) then ''
                else ', over the limit of ' || {{ days_text('max_staleness_days') }}
            end
            || '.'
    end as finding,
    newest_at,
    {{ as_of() }} as checked_at
from checked_fields
