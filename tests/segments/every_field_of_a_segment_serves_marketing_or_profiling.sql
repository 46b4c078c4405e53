-- Every field of a segment is measured by signal_readiness, and its entry names marketing or profiling as a purpose.
with fields as (
    select * from {{ literal_rows({'segment': 'string', 'model_name': 'string', 'column_name': 'string'}, segment_field_rows()) }}
)

select
    fields.segment,
    fields.model_name,
    fields.column_name,
    dictionary.purposes
from fields
left join {{ ref('field_dictionary') }} as dictionary
    on fields.model_name = dictionary.model_name and fields.column_name = dictionary.column_name
left join {{ ref('signal_readiness') }} as readiness
    on fields.model_name = readiness.model_name and fields.column_name = readiness.column_name
where
    fields.segment is not null
    and (
        readiness.column_name is null
        or not coalesce(dictionary.purposes like '%marketing_email%' or dictionary.purposes like '%profiling%', false)
    )
