-- Nothing says that scores are broken. Audiences that rest on scores wait until somebody has looked.
{{ config(severity='warn') }}
select sentence from {{ ref('model_drift') }} where stops_activation
