-- Read from the dbt graph, so it always matches the audiences' YAML. Rebuilt whenever the candidates are:
-- depends_on: {{ ref('audience_candidates') }}
{%- set columns = {
    'destination': 'string', 'vendor': 'string',
    'audience': 'string', 'label': 'string', 'description': 'string', 'owner': 'string', 'refresh': 'string',
    'purpose': 'string', 'also_with_consent_to': 'string', 'message_class': 'string', 'fields': 'string',
    'rests_on': 'string', 'rests_on_scores': 'boolean', 'is_suppression': 'boolean', 'max_shrink_share': 'double', 'max_growth_share': 'double', 'fingerprint': 'string',
} %}
{%- set entries = [] -%}
{%- for entry in audience_entries() -%}
{%- for column in columns if entry.get(column) == [] -%}{%- do entry.update({column: none}) -%}{%- endfor -%}
{%- for destination in entry.destinations -%}
{%- do entries.append(dict(entry, destination=destination, vendor=var('destinations')[destination])) -%}
{%- endfor -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows(columns, entries) }}
)

select
    {% for column, data_type in columns.items() -%}
    cast(entries.{{ column }} as {{ sql_type(data_type) }}) as {{ column }},
    {% endfor -%}
    approvals.approved_by,
    approvals.approved_on
from entries
left join {{ ref('audience_approvals') }} as approvals
    on entries.audience = approvals.audience and entries.fingerprint = approvals.fingerprint
where entries.audience is not null
