{# What is wrong with the entries of var experiments, as sentences. #}
{% macro experiment_flaws() %}
    {%- set flaws = [] -%}
    {%- set needed = ['label', 'owner', 'decides', 'arms', 'control', 'measure', 'minimum_lift', 'starts_on', 'ends_on'] -%}
    {%- for name, entry in var('experiments').items() -%}
        {%- set missing = needed | reject('in', entry) | list -%}
        {%- if missing -%}
            {%- do flaws.append('experiment ' ~ name ~ ' lacks ' ~ missing | join(', ')) -%}
        {%- else -%}
            {%- for flaw in single_experiment_flaws(entry) -%}{%- do flaws.append('experiment ' ~ name ~ ' ' ~ flaw) -%}{%- endfor -%}
        {%- endif -%}
        {%- for other, its in var('experiments').items() if other < name and not missing and its.get('decides') == entry.decides -%}
            {%- if its.starts_on | string <= entry.ends_on | string and entry.starts_on | string <= its.ends_on | string -%}
                {%- do flaws.append('experiments ' ~ other ~ ' and ' ~ name ~ ' both change ' ~ entry.decides ~ ' at one time. End one before the other starts') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(flaws) }}
{% endmacro %}


{% macro single_experiment_flaws(entry) %}
    {%- set flaws = [] -%}
    {%- set measures = experiment_measures() | map(attribute='measure') | list -%}
    {%- set stages = [{'from': entry.starts_on, 'arms': entry.arms}] + entry.get('stages', []) -%}
    {%- for stage in stages -%}
        {%- set shares = stage.get('arms', {}).values() | list -%}
        {%- if shares | select('number') | list | length < 2 or shares | select('number') | list | length != shares | length -%}
            {%- do flaws.append('has no two arms with a share each' ~ (', from ' ~ stage['from'] if not loop.first else '')) -%}
        {%- elif shares | min < 0 or (shares | sum - 1) | abs > 0.000001 -%}
            {%- do flaws.append('has shares that add up to ' ~ (shares | sum) | round(6) ~ ', not 1' ~ (', from ' ~ stage['from'] if not loop.first else '')) -%}
        {%- endif -%}
        {%- if stage.get('arms', {}) | list != entry.arms | list -%}
            {%- do flaws.append('has other arms from ' ~ stage['from'] ~ ': the arms and their order stay, only shares change') -%}
        {%- endif -%}
        {%- if not (entry.starts_on | string <= stage['from'] | string <= entry.ends_on | string) -%}
            {%- do flaws.append('has a stage from ' ~ stage['from'] ~ ', outside of its time' if not loop.first else 'ends before it starts') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if entry.control not in entry.arms -%}{%- do flaws.append('has control ' ~ entry.control ~ ', which is none of its arms') -%}{%- endif -%}
    {%- if entry.get('holdout_arm') and entry.holdout_arm not in entry.arms -%}
        {%- do flaws.append('has holdout_arm ' ~ entry.holdout_arm ~ ', which is none of its arms') -%}
    {%- endif -%}
    {%- if entry.get('holdout_arm') and entry.holdout_arm != entry.control -%}
        {%- do flaws.append('has a holdout_arm that is not its control') -%}
    {%- endif -%}
    {%- for measure in [entry.measure] + entry.get('guardrails', []) if measure not in measures -%}
        {%- do flaws.append('has measure ' ~ measure ~ ', which is none of ' ~ measures | join(', ')) -%}
    {%- endfor -%}
    {%- if not (entry.minimum_lift is number and entry.minimum_lift > 0) -%}{%- do flaws.append('has no minimum_lift above 0') -%}{%- endif -%}
    {%- if entry.get('population', 'everyone') not in ['everyone', 'contactable'] + var('segments') -%}
        {%- do flaws.append('has population ' ~ entry.population ~ ', which is not everyone, contactable or a segment') -%}
    {%- endif -%}
    {{ return(flaws) }}
{% endmacro %}
