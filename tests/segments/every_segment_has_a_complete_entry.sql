-- Every segment has a complete entry in its YAML.
select *
from {{ ref('segment_catalog') }}
where
    not coalesce(length(label) > 0, false)
    or not coalesce(length(owner) > 0, false)
    or not coalesce(refresh in ('hourly', 'daily', 'weekly'), false)
    or not coalesce(minimum_size > 0, false)
    or not coalesce(0 <= min_expected_share and min_expected_share < max_expected_share and max_expected_share <= 1, false)
    or not coalesce(0 < max_churn_share and max_churn_share <= 1, false)
    or not coalesce(length(fields) > 0, false)
    or not coalesce(length(hard_rules) > 0, false)
    or not coalesce(dwell_days > 0, true)
    or (dwell_days is not null and not has_band)
    or (has_band or dwell_days is not null) = coalesce(length(no_band) > 0, false)
    or (kind = 'negative') <> (receiving_because is null)
    or not coalesce(receiving_because like 'You are receiving this because %.', true)
