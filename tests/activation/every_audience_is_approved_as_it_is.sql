-- Every audience is approved as it is: by a row of seed audience_approvals with the fingerprint of its definition.
{{ config(severity='warn') }}

select
    audience,
    fingerprint
from {{ ref('audience_catalog') }}
where approved_by is null
