-- The pilot gate: pass only if the lift of the primary measure is at least the minimum, its interval is clear of 0, and no guardrail is
-- raised. Clicks that rise while orders fall do not pass.
-- Longer than 120 lines because a verdict has one rule and one sentence for each case, side by side.
with results as (
    select * from {{ ref('experiment_results') }} where segment_type = 'all'
),

experiments as (
    select
        *,
        ', ' || guardrails || ',' as guardrail_list
    from {{ ref('experiments') }}
),

-- More unsubscribes or complaints are worse, less of anything else is.
raised_guardrails as (
    select
        results.experiment,
        results.arm,
        min(results.measure) as measure
    from results
    inner join experiments on results.experiment = experiments.experiment
    where
        experiments.guardrail_list like '%, ' || results.measure || ',%'
        and results.state = 'significant'
        and (results.difference > 0) = (results.measure in ('unsubscribed', 'complained'))
    group by results.experiment, results.arm
),

orders as (
    select
        experiment,
        arm,
        difference
    from results
    where measure = 'ordered'
),

sizes as (
    select
        experiment,
        cast(sum(n_conflicts) as bigint) as n_conflicts,
        cast(sum(n_gone) as bigint) as n_gone,
        min(since_at) as since_at
    from {{ ref('experiment_sizes') }}
    group by experiment
),

arms as (
    select
        sizes.experiment,
        sizes.arm
    from {{ ref('experiment_sizes') }} as sizes
    inner join experiments on sizes.experiment = experiments.experiment
    where sizes.arm <> experiments.control
),

-- Without a customer in both arms there is no result yet.
rules as (
    select
        arms.experiment,
        arms.arm,
        experiments.control,
        experiments.measure,
        experiments.label,
        coalesce(results.n_customers, 0) as n_customers,
        coalesce(results.n_control, 0) as n_control,
        least(coalesce(results.n_converters, 0), coalesce(results.n_control_converters, 0)) as n_in_smaller_arm,
        coalesce(results.n_control_emailed, 0) as n_control_emailed,
        results.lift,
        results.lift_sequence_low,
        results.lift_sequence_high,
        results.sample_ratio_p,
        results.always_valid_p,
        experiments.minimum_lift,
        experiments.is_running,
        experiments.holdout_arm,
        raised_guardrails.measure as raised_guardrail,
        sizes.n_conflicts,
        sizes.n_gone,
        sizes.since_at,
        cast(greatest(results.n_needed - results.n_customers - results.n_control, 0) as bigint) as n_more_needed,
        case
            when results.state = 'stopped' then 'uneven_arms'
            when raised_guardrails.measure is not null then 'guardrail'
            when not coalesce(results.has_enough_converters, false) then 'too_few'
            when results.lift_sequence_high < 0 then 'worse'
            when results.lift_sequence_high < experiments.minimum_lift then 'below_minimum'
            when results.sequence_low > 0 and results.measure in ('clicked', 'clicks_per_email') and orders.difference < 0 then 'clicks_only'
            when results.sequence_low > 0 and results.lift >= experiments.minimum_lift then 'passed'
            when results.sequence_low > 0 then 'positive'
            when results.always_valid_p <= {{ var('experiment_likely_p') }} and results.lift >= experiments.minimum_lift then 'likely'
            else 'unclear'
        end as rule
    from arms
    inner join experiments on arms.experiment = experiments.experiment
    left join results on arms.experiment = results.experiment and arms.arm = results.arm and experiments.measure = results.measure
    left join raised_guardrails on arms.experiment = raised_guardrails.experiment and arms.arm = raised_guardrails.arm
    left join orders on arms.experiment = orders.experiment and arms.arm = orders.arm
    left join sizes on arms.experiment = sizes.experiment
)

select
    experiment,
    arm,
    control,
    label,
    measure,
    case
        when rule = 'passed' then 'pass'
        when rule in ('positive', 'likely') then 'promising'
        when rule in ('guardrail', 'worse', 'below_minimum') then 'fail'
        else 'cannot_tell'
    end as verdict,
    rule,
    lift,
    lift_sequence_low as lift_low,
    lift_sequence_high as lift_high,
    minimum_lift,
    n_customers,
    n_control,
    n_more_needed,
    n_conflicts,
    n_gone,
    -- Written to although held out, as the ESP reports: mail that Mailroom did not decide.
    case when control = holdout_arm then n_control_emailed end as n_held_out_emailed,
    sample_ratio_p,
    raised_guardrail,
    is_running,
    since_at,
    case rule
        when 'uneven_arms' then 'The arms are not of the sizes that their shares give (p below {{ var("sample_ratio_alpha") }}). No number counts until that is explained.'
        when 'guardrail' then 'Guardrail ' || raised_guardrail || ' is raised: the difference is certain.'
        when 'too_few'
            then
                'The smaller arm has ' || {{ counted('n_in_smaller_arm', 'customer') }} || ' with ' || measure || ' above 0, too few for a verdict.'
        when 'worse' then arm || ' is worse: ' || {{ signed_percent_text('lift') }} || ', at most ' || {{ signed_percent_text('lift_sequence_high') }} || '.'
        when 'below_minimum'
            then 'The lift is at most ' || {{ signed_percent_text('lift_sequence_high') }} || ', below the minimum of ' || {{ signed_percent_text('minimum_lift') }} || '.'
        when 'clicks_only' then 'Clicks rise by ' || {{ signed_percent_text('lift') }} || ' and fewer customers order.'
        when 'passed'
            then
                'The lift is ' || {{ signed_percent_text('lift') }} || ', at least ' || {{ signed_percent_text('lift_sequence_low') }}
                || ', and the guardrails are quiet.'
        when 'positive'
            then
                'The lift is above 0, and at ' || {{ signed_percent_text('lift') }} || ' below the minimum of '
                || {{ signed_percent_text('minimum_lift') }} || '.'
        when 'likely'
            then 'Likely, not certain: ' || {{ signed_percent_text('lift') }} || ', with a p of ' || {{ hundredths_text('always_valid_p') }} || ' over all looks.'
        else
            coalesce({{ signed_percent_text('lift') }}, 'No lift') || ' so far. '
            || case
                when n_more_needed > 0 then 'To find the minimum lift it needs some ' || cast(n_more_needed as {{ dbt.type_string() }}) || ' more customers.'
                else 'It may be 0 or the minimum lift.'
            end
    end as reason
from rules
