-- The sums that all intervals are made of, for each experiment, arm, segment and measure. One pass over the customers.
{%- set measures = experiment_measures() %}
{%- set sums = ['n', 'n_positive', 'y', 'yy', 'x', 'xx', 'xy'] %}
with cells as (
    select
        experiment,
        arm,
        lifecycle_stage,
        value_band,
        count(*) as n_customers,
        count(case when n_emails > 0 then 1 end) as n_emailed,
        {% for measure in measures -%}
        {%- set y = 'cast(' ~ measure.y ~ ' as ' ~ double_type() ~ ')' -%}
        {%- set x = 'cast(' ~ measure.x ~ ' as ' ~ double_type() ~ ')' -%}
        {%- set counts = measure.where or 'true' -%}
        count(case when {{ counts }} then 1 end) as n_{{ loop.index }},
        count(case when {{ counts }} and {{ y }} > 0 then 1 end) as n_positive_{{ loop.index }},
        coalesce(sum(case when {{ counts }} then {{ y }} end), 0) as y_{{ loop.index }},
        coalesce(sum(case when {{ counts }} then {{ y }} * {{ y }} end), 0) as yy_{{ loop.index }},
        coalesce(sum(case when {{ counts }} then {{ x }} end), 0) as x_{{ loop.index }},
        coalesce(sum(case when {{ counts }} then {{ x }} * {{ x }} end), 0) as xx_{{ loop.index }},
        coalesce(sum(case when {{ counts }} then {{ x }} * {{ y }} end), 0) as xy_{{ loop.index }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('experiment_outcomes') }}
    group by experiment, arm, lifecycle_stage, value_band
),

cell_measures as (
    {% for measure in measures -%}
    {%- set place = loop.index -%}
    select
        experiment,
        arm,
        lifecycle_stage,
        value_band,
        '{{ measure.measure }}' as measure,
        '{{ measure.kind }}' as kind,
        n_customers,
        n_emailed,
        {% for name in sums -%}
        {{ name }}_{{ place }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from cells
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{% for segment_type, segment in [('all', "'all'"), ('lifecycle_stage', 'lifecycle_stage'), ('value_band', 'value_band')] -%}
select
    experiment,
    measure,
    max(kind) as kind,
    '{{ segment_type }}' as segment_type,
    {{ segment }} as segment,
    arm,
    cast(sum(n_customers) as bigint) as n_customers,
    cast(sum(n_emailed) as bigint) as n_emailed,
    {% for name in sums -%}
    cast(sum({{ name }}) as {{ 'bigint' if name.startswith('n') else double_type() }}) as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
from cell_measures
{{ 'where ' ~ segment ~ ' is not null' if segment_type != 'all' }}
group by experiment, measure, arm{{ ', ' ~ segment if segment_type != 'all' }}
{{ 'union all' if not loop.last }}
{% endfor %}
