-- Every audience is approved as defined today: seed audience_approvals has its fingerprint.
{{ config(severity='warn') }}

select
    'Audience ' || audience || ' is not approved as defined today. Add it to seed audience_approvals with fingerprint '
    || fingerprint || '.' as sentence
from {{ ref('audience_catalog') }}
where approved_by is null
