-- Every arm against its control, for each measure and segment. The state is by the intervals that are valid at each look.
with statistics as (
    select
        statistics.*,
        experiments.is_running,
        experiments.measure as primary_measure
    from {{ ref('experiment_statistics') }} as statistics
    inner join {{ ref('experiments') }} as experiments on statistics.experiment = experiments.experiment
),

states as (
    select
        *,
        case
            when sample_ratio_p < {{ var('sample_ratio_alpha') }} then 'stopped'
            when is_significant then 'significant'
            when is_running then 'collecting'
            when n_customers + n_control >= n_needed then 'no_difference'
            else 'underpowered'
        end as state
    from statistics
)

select
    experiment,
    measure,
    segment_type,
    segment,
    arm,
    control,
    measure = primary_measure as is_primary,
    state,
    n_customers,
    n_control,
    n_converters,
    n_control_converters,
    n_emailed,
    n_control_emailed,
    n_needed,
    mean,
    control_mean,
    difference,
    difference_low,
    difference_high,
    p_value,
    sequence_low,
    sequence_high,
    always_valid_p,
    adjusted_p,
    lift,
    lift_low,
    lift_high,
    lift_sequence_low,
    lift_sequence_high,
    variance_saved_share,
    sample_ratio_p,
    has_enough_converters,
    case state
        when 'stopped' then 'The arms are not of the sizes that their shares give. Find out why before you read this.'
        when 'significant'
            then
                arm || case when difference > 0 then ' has more ' else ' has less ' end || measure || ' than ' || control || ': '
                || {{ signed_percent_text('lift') }} || ', from ' || {{ signed_percent_text('lift_sequence_low') }} || ' to '
                || {{ signed_percent_text('lift_sequence_high') }} || '.'
        when 'collecting'
            then
                case
                    when not has_enough_converters
                        then
                            'Cannot tell yet: the smaller arm has ' || cast(least(n_converters, n_control_converters) as {{ dbt.type_string() }})
                            || ' of the ' || cast(n_converters_needed as {{ dbt.type_string() }}) || ' customers with it that a verdict needs.'
                    else 'Cannot tell yet: ' || coalesce({{ signed_percent_text('lift') }}, 'no difference') || ' so far.'
                end
        when 'no_difference' then 'No difference was found, with enough customers to find the minimum lift.'
        else 'It ended with too few customers to find the minimum lift.'
    end as sentence
from states
