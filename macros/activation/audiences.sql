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
