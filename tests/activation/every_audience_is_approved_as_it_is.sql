-- Every audience is approved as it is: by a row of seed audience_approvals with the fingerprint of its definition.
{{ config(severity='warn') }}

select
    'Audience ' || audience || ' is not approved as it is defined today. Add it with fingerprint ' || fingerprint
    || ' to seed audience_approvals.' as sentence
from {{ ref('audience_catalog') }}
where approved_by is null
