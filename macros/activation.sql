{#
YAML entries of all audiences, from the dbt graph, ordered by name: the models in models/activation/audiences. Each
entry is the model's config.meta plus the audience's name, its destinations (default: var destinations) and the
fingerprint that an approval refers to. The keys are described in the header of _audiences.yml. Empty while dbt parses.
Raises an error for a field that profile_fields lacks or that no purpose of the audience allows, and for a value of
also_with_consent_to other than ai_recommendations.
#}
{% macro audience_entries() %}
    {%- set entries = [] -%}
    {%- if execute -%}
        {%- set fields = {} -%}
        {%- set scored = [] -%}
        {%- set scores = score_models() -%}
        {%- set score_tables = scores | map('replace', 'model.mailroom.', '') | list -%}
        {%- for entry in profile_field_entries() -%}
            {%- do fields.update({entry.column_name: entry}) -%}
            {%- if entry.source_of_truth in score_tables -%}{%- do scored.append(entry.column_name) -%}{%- endif -%}
        {%- endfor -%}
        {%- for model in entry_models('audiences') -%}
            {%- set entry = dict(model.config.meta) -%}
            {%- if entry.get('also_with_consent_to', []) not in ([], ['ai_recommendations']) -%}
                {{ exceptions.raise_compiler_error(
                    "audience " ~ model.name ~ ": also_with_consent_to accepts ai_recommendations only. Remove the other purposes."
                ) }}
            {%- endif -%}
            {%- for field in entry.fields -%}
                {%- if field not in fields -%}
                    {{ exceptions.raise_compiler_error(
                        "audience " ~ model.name ~ ": profile_fields has no column " ~ field ~ ". Correct the list under fields."
                    ) }}
                {%- endif -%}
                {%- if not carried_with(fields[field], entry) -%}
                    {{ exceptions.raise_compiler_error(
                        "audience " ~ model.name ~ ": field " ~ field ~ " serves only " ~ fields[field].purposes | join(', ')
                        ~ ". Remove the field, or use one of these as purpose or under also_with_consent_to."
                    ) }}
                {%- endif -%}
            {%- endfor -%}
            {%- do entry.update({
                'audience': model.name,
                'description': model.description,
                'destinations': entry.get('destinations') or var('destinations').keys() | list,
                'is_suppression': entry.get('is_suppression', false),
                'rests_on_scores': model.depends_on.nodes | select('in', scores) | list != []
                    or entry.fields | select('in', scored) | list != []
            }) -%}
            {%- do entry.update({'fingerprint': local_md5(model.raw_code ~ [
                entry.purpose, entry.also_with_consent_to, entry.message_class, entry.fields, model.config.meta.get('destinations'),
                entry.is_suppression
            ])[:12]}) -%}
            {%- do entries.append(entry) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(entries) }}
{% endmacro %}


{# Unique ids of the models in models/scores. #}
{% macro score_models() %}
    {%- set found = [] -%}
    {%- for model in graph.nodes.values() if model.resource_type == 'model' and model.fqn[:2] == ['mailroom', 'scores'] -%}
        {%- do found.append(model.unique_id) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}


{# Columns of profile_fields that an audience may carry, as entries of field_entries(). #}
{% macro profile_field_entries() %}
    {%- set entries = [] -%}
    {%- for entry in field_entries('profile_fields') if entry.column_name not in ['customer_id', 'email'] -%}
        {%- do entries.append(entry) -%}
    {%- endfor -%}
    {{ return(entries) }}
{% endmacro %}


{#
Condition under which an audience carries a field: 'everybody' if the field serves its purpose, else the purpose that the
customer must also have consented to, else none.
#}
{% macro carried_with(field, audience) %}
    {%- if audience.purpose in field.purposes -%}{{ return('everybody') }}{%- endif -%}
    {%- for purpose in audience.get('also_with_consent_to', []) if purpose in field.purposes -%}{{ return(purpose) }}{%- endfor -%}
{% endmacro %}


{# A field as JSON in audiences that carry it, null in others. Needs columns audience and is_ai_personalisation_allowed. #}
{% macro carried_json(field, audiences) -%}
    case
        {%- for audience in audiences if field.column_name in audience.fields %}
        when
            audience = '{{ audience.audience }}'
            {{- ' and is_ai_personalisation_allowed' if carried_with(field, audience) != 'everybody' }}
            then {{ field_json(field) }}
        {%- else %}
        when false then ''
        {%- endfor %}
    end
{%- endmacro %}


{# A field's value as JSON, else its fallback, else null. Needs column language_code. #}
{% macro field_json(field) -%}
    {%- set name = field.column_name -%}
    {%- set value = text_as_json(name) if field.data_type in ('string', 'date') else 'cast(' ~ name ~ ' as ' ~ dbt.type_string() ~ ')' -%}
    {%- set fallback = field.get('fallback') -%}
    {%- if fallback is mapping -%}
        coalesce({{ value }}, case language_code
            {%- for language, text in fallback.items() if language != 'other' %}
            when '{{ language }}' then {{ dbt.string_literal(dbt.escape_single_quotes(tojson(text))) }}
            {%- endfor %}
            else {{ dbt.string_literal(dbt.escape_single_quotes(tojson(fallback.other))) }}
        end)
    {%- elif fallback is not none and fallback is defined -%}
        coalesce({{ value }}, {{ dbt.string_literal(dbt.escape_single_quotes(tojson(fallback))) }})
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}


{#
What the ESP holds after it accepts these columns of JSON, as a text to compare: ;field=hash; for each filled field,
customer_id first. Hashes keep names out of the receipts.
#}
{% macro held_text(fields) -%}
    {%- set pieces = [] -%}
    {%- for field in fields -%}
        {%- do pieces.append("'" ~ field.column_name ~ "=' || " ~ value_hash(field.column_name) ~ " || ';'") -%}
    {%- endfor -%}
    {{ held_object('customer_id', pieces) }}
{%- endmacro %}


{# The same for expressions that return 'field=hash;' or null. #}
{% macro held_object(customer_id, pieces) -%}
    ';' || {{ joined('', ["'customer_id=' || " ~ value_hash(customer_id) ~ " || ';'"] + pieces) }}
{%- endmacro %}


{% macro value_hash(expression) -%}
    substr({{ dbt.hash(expression) }}, 1, 16)
{%- endmacro %}


{# The hash of a field in a text of held_text(), or null. #}
{% macro held_hash(held, field) -%}
    case
        when {{ dbt.position("';" ~ field ~ "='", held) }} > 0
            then substr({{ held }}, {{ dbt.position("';" ~ field ~ "='", held) }} + {{ field | length + 2 }}, 16)
    end
{%- endmacro %}


{# A JSON object of customer_id and these expressions. Each returns '"name": ' with JSON, or null to leave it out. #}
{% macro object_as_json(customer_id, pieces) -%}
    '{' || {{ joined(', ', ["'\"customer_id\": ' || " ~ text_as_json(customer_id)] + pieces) }} || '}'
{%- endmacro %}


{#
Destination of an ESP profile: the one that it was pulled from, else the one of source esp (var esp_destination, or the
only destination). Null if unknown.
#}
{% macro destination_of_profile(profile_id) -%}
    {%- set destinations = var('destinations').keys() | list -%}
    {%- set source = var('esp_destination') or (destinations[0] if destinations | length == 1) -%}
    case
        {%- for destination in destinations %}
        when {{ profile_id }} like '{{ destination }}-%' then '{{ destination }}'
        {%- endfor %}
        else {{ "'" ~ source ~ "'" if source else 'cast(null as ' ~ dbt.type_string() ~ ')' }}
    end
{%- endmacro %}


{#
Columns of the ledgers that mailroom push and pull write and dbt reads with read_ledger(), by name and type.
src/mailroom/activation/ledger.py writes the same columns. raw() reads the ledgers named after a table of the source
contract without pulled_at, the time that an opt-out was received. Only push reads pulled_at.
#}
{% macro ledger_columns(ledger) %}
    {%- set text = dbt.type_string() -%}
    {{ return({
        'receipts': {
            'receipt_id': text, 'push_id': text, 'batch_id': text, 'attempt': 'bigint', 'outbox_id': text,
            'destination': text, 'audience': text, 'operation': text, 'customer_id': text, 'email': text, 'held': text,
            'status': text, 'code': text, 'message': text, 'reference': text, 'answered_at': 'timestamp',
            'decided_at': 'timestamp', 'sequence': 'bigint'
        },
        'overrides': {
            'push_id': text, 'destination': text, 'audience': text, 'guard': text, 'reason': text, 'because': text,
            'overridden_by': text, 'overridden_at': 'timestamp'
        },
        'pushes': {
            'push_id': text, 'destination': text, 'audience': text, 'outcome': text, 'reason': text, 'n_rows': 'bigint',
            'started_at': 'timestamp', 'ended_at': 'timestamp', 'decided_at': 'timestamp'
        },
        'esp_profiles': {'profile_id': text, 'email': text, 'created_at': text},
        'esp_message_events': {
            'event_id': text, 'message_id': text, 'profile_id': text, 'event_type': text, 'bounce_type': text,
            'occurred_at': text, 'pulled_at': 'timestamp'
        },
        'privacy_consent_events': {
            'consent_event_id': text, 'email': text, 'channel': text, 'purpose': text, 'status': text,
            'lawful_basis': text, 'recorded_by': text, 'form': text, 'confirmed_at': text, 'occurred_at': text,
            'pulled_at': 'timestamp'
        }
    }.get(ledger)) }}
{% endmacro %}


{#
Records failures of dbt runs: one row per report about a node that the outbox depends on, including its tests and the
checks of how much of the sources was read. Called at the end of every run, so that mailroom push does not send an outbox
that a failure left outdated. Append-only: a node is failing if its last report says so.
#}
{% macro record_failures(results) %}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed') and results -%}
        {%- set table = relation_of('sync_outbox').incorporate(path={'schema': generate_schema_name('internal', none) | trim, 'identifier': 'build_failures'}) -%}
        {%- do adapter.create_schema(table) -%}
        {%- set upstream = ['model.mailroom.sync_outbox', 'model.mailroom.sync_guards', 'model.mailroom.source_flaws'] -%}
        {%- for unique_id in upstream -%}
            {%- for parent in graph.nodes[unique_id].depends_on.nodes if parent in graph.nodes and parent not in upstream -%}
                {%- do upstream.append(parent) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- do run_query(
            'create table if not exists ' ~ table ~ ' (node ' ~ dbt.type_string() ~ ', is_failing boolean, reported_at timestamp)'
        ) -%}
        {%- set failing = run_query(failing_nodes(table)).columns[0].values() -%}
        {%- set now = "cast('" ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "' as timestamp)" -%}
        {%- set reports = [] -%}
        {%- for result in results if result.node is not none and result.node.package_name == 'mailroom' -%}
            {%- set node = result.node -%}
            {#- Exposures run nothing, so a skipped one is no failure. A smaller build would never clear it. -#}
            {%- set has_failed = result.status in ('error', 'fail', 'runtime error', 'skipped') and node.resource_type != 'exposure' -%}
            {%- set rests_on = [node.unique_id] + ([] if node.resource_type == 'seed' else node.depends_on.nodes) -%}
            {%- if has_failed != (node.name in failing) and rests_on | select('in', upstream) | list -%}
                {%- do reports.append("('" ~ node.name ~ "', " ~ has_failed | lower ~ ', ' ~ now ~ ')') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if reports -%}{%- do run_query('insert into ' ~ table ~ ' values ' ~ reports | join(', ')) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}


{# Query of failures without a later success. push.failing() runs the same query. #}
{% macro failing_nodes(table) -%}
    select node from {{ table }} group by node
    having max(case when is_failing then reported_at end) > coalesce(max(case when not is_failing then reported_at end), cast('1900-01-01' as timestamp))
{%- endmacro %}


{#
Folder of mailroom push for receipts and the files of destination file: MAILROOM_ACTIVATION, or a folder beside the
warehouse. ledger.activation_folder() returns the same path.
#}
{% macro activation_folder() %}
    {%- set default = env_var('MAILROOM_DUCKDB_PATH', 'warehouse/mailroom.duckdb') | replace('.duckdb', '') ~ '-activation' -%}
    {{ return(env_var('MAILROOM_ACTIVATION', default)) }}
{% endmacro %}
