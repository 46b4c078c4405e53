{#
Segments, suppression rules, triggers and audiences: a file each, its name in a var of dbt_project.yml (segments,
suppression_rules, triggers, audiences), its entry in the YAML beside it. Stops the build that forgets one of the three. A rule that is not wanted is
disabled (+enabled: false) and taken off its list. In a project that has Mailroom as a package, its own files in the same folders
count if they are on the list.
#}
{% macro check_entries() %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set flaws = [] -%}
        {%- for list in ['segments', 'suppression_rules', 'triggers', 'audiences'] -%}
            {%- for model in entry_models(list) -%}
                {%- if model.name not in var(list) -%}
                    {%- do flaws.append(
                        model.original_file_path ~ ' is not in var ' ~ list ~ ' of dbt_project.yml: add ' ~ model.name ~ ' there, or disable the model'
                    ) -%}
                {%- endif -%}
                {%- for flaw in entry_flaws(list, model) -%}
                    {%- do flaws.append((model.patch_path or model.original_file_path).split('://')[-1] ~ ': ' ~ model.name ~ ' ' ~ flaw) -%}
                {%- endfor -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not flaws -%}{%- do flaws.extend(flow_limit_flaws() + offer_flaws() + experiment_flaws()) -%}{%- endif -%}
        {%- if flaws -%}{{ exceptions.raise_compiler_error(flaws | join('\n  ')) }}{%- endif -%}
    {%- endif -%}
{% endmacro %}


{# The models that a list is of: those in the folders of its kind. #}
{% macro entry_models(list) %}
    {%- set kinds = ['lifecycle', 'value', 'intent', 'engagement', 'stated', 'negative'] -%}
    {%- set found = [] -%}
    {%- for model in graph.nodes.values() | sort(attribute='name') | sort(attribute='fqn')
        if model.resource_type == 'model' and model.fqn | length == 4 and (model.package_name == 'mailroom' or model.name in var(list)) -%}
        {%- set folder = model.fqn[1:3] -%}
        {%- if (
            list == 'segments' and folder[0] == 'segments' and folder[1] in kinds
            or list == 'suppression_rules' and folder == ['trust', 'suppression_rules']
            or list == 'audiences' and folder == ['activation', 'audiences']
            or list == 'triggers' and folder == ['flows', 'triggers']
        ) -%}
            {%- do found.append(model) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}


{# What an entry lacks or has wrong, as the ends of sentences that begin with its name. The keys are described at the head of its YAML. #}
{% macro entry_flaws(list, model) %}
    {%- set entry = model.config.get('meta', {}) -%}
    {%- set flaws = [] -%}
    {%- set keys = {
        'segments': ['label', 'owner', 'refresh', 'minimum_size', 'expected_share', 'max_churn_share', 'fields', 'hard_rules'],
        'suppression_rules': ['label', 'owner'],
        'triggers': ['subject', 'trigger_hours', 'rests_on', 'flows'],
        'audiences': ['label', 'owner', 'refresh', 'purpose', 'message_class', 'max_shrink_share', 'max_growth_share'],
    }[list] -%}
    {%- set keys = keys | reject('in', ['message_class', 'max_shrink_share', 'max_growth_share']) | list if entry.get('is_suppression') else keys -%}
    {%- if not model.description -%}{%- do flaws.append('lacks a description') -%}{%- endif -%}
    {%- for key in keys if not entry.get(key) -%}{%- do flaws.append('lacks ' ~ key) -%}{%- endfor -%}
    {%- if entry.get('refresh') and entry.refresh not in ('hourly', 'daily', 'weekly') -%}
        {%- do flaws.append('has refresh ' ~ entry.refresh ~ ', which is not hourly, daily or weekly') -%}
    {%- endif -%}
    {%- if list == 'triggers' and not flaws -%}{{ return(flow_flaws(model)) }}{%- endif -%}
    {%- if list == 'segments' -%}
        {%- set share = entry.get('expected_share') -%}
        {%- if share and not (share is sequence and share is not string and share | length == 2 and 0 <= share[0] < share[1] <= 1) -%}
            {%- do flaws.append('has expected_share ' ~ share ~ ', which is not [lowest, highest] in 0 to 1') -%}
        {%- endif -%}
        {%- if entry.get('max_churn_share') and not 0 < entry.max_churn_share <= 1 -%}
            {%- do flaws.append('has max_churn_share ' ~ entry.max_churn_share ~ ', which is not above 0 and up to 1') -%}
        {%- endif -%}
        {%- if entry.get('dwell_days') and not entry.get('has_band') -%}
            {%- do flaws.append('has dwell_days without has_band') -%}
        {%- endif -%}
        {%- for rule in entry.get('hard_rules') or [] if 'test.' ~ model.package_name ~ '.' ~ rule not in graph.nodes -%}
            {%- do flaws.append('has hard_rules ' ~ rule ~ ', which is no test in tests/segments') -%}
        {%- endfor -%}
        {%- if not entry.get('has_band') and not entry.get('no_band') -%}
            {%- do flaws.append('has neither has_band nor no_band, which says why it has none') -%}
        {%- elif entry.get('has_band') and entry.get('no_band') -%}
            {%- do flaws.append('has both has_band and no_band') -%}
        {%- endif -%}
        {%- if model.fqn[2] == 'negative' and entry.get('receiving_because') -%}
            {%- do flaws.append('has receiving_because, and a negative segment receives nothing') -%}
        {%- elif model.fqn[2] != 'negative' and not (
            entry.get('receiving_because', '').startswith('You are receiving this because ') and entry.receiving_because.endswith('.')
        ) -%}
            {%- do flaws.append('lacks receiving_because, a sentence: You are receiving this because ….') -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(flaws) }}
{% endmacro %}
