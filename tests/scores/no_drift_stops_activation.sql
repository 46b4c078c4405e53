-- No drift check stops activation. While one does, pushes of audiences that rest on scores wait for a review.
{{ config(severity='warn') }}
select sentence from {{ ref('model_drift') }} where stops_activation
