-- Nothing says that scores are broken. Audiences that rest on scores wait until somebody has looked.
{{ config(severity='warn') }}
select * from {{ ref('model_drift') }} where stops_activation
