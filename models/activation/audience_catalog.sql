-- Read out of the dbt graph, so that it can't differ from the audiences' YAML. It is built anew with every new candidate:
-- depends_on: {{ ref('audience_candidates') }}
{%- set columns = {
    'audience': 'string', 'label': 'string', 'description': 'string', 'owner': 'string', 'refresh': 'string',
    'purpose': 'string', 'also_with_consent_to': 'string', 'message_class': 'string', 'fields': 'string',
    'rests_on': 'string', 'rests_on_scores': 'boolean', 'is_suppression': 'boolean', 'max_shrink_share': 'double', 'max_growth_share': 'double', 'fingerprint': 'string',
} %}
with entries as (
    select *
    from (
        values
        {%- for entry in audience_entries() %}
        {%- for destination in entry.destinations %}
        (
            {{ entry_literal(destination) }}, {{ entry_literal(var('destinations')[destination]) }},
            {%- for column in columns -%}
            {{ ' ' ~ entry_literal(entry.get(column) if entry.get(column) != [] else none) }}{{ ',' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor -%}
        {{ ',' if not loop.last }}
        {%- else %}
        (null, null, {% for column in columns %}null{{ ', ' if not loop.last }}{% endfor %})
        {%- endfor %}
    ) as entry_values (destination, vendor, {{ columns | join(', ') }})
)

select
    cast(entries.destination as {{ dbt.type_string() }}) as destination,
    cast(entries.vendor as {{ dbt.type_string() }}) as vendor,
    {% for column, data_type in columns.items() -%}
    cast(entries.{{ column }} as {{ dbt.type_string() if data_type == 'string' else data_type }}) as {{ column }},
    {% endfor -%}
    approvals.approved_by,
    approvals.approved_on
from entries
left join {{ ref('audience_approvals') }} as approvals
    on entries.audience = approvals.audience and entries.fingerprint = approvals.fingerprint
where entries.audience is not null
