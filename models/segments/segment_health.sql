-- Longer than 120 lines because members, movements and fields of a segment come from three tables, and one sentence names what
-- is wrong.
{% set week_ago = date_add('day', -7, as_of()) %}
with catalog as (
    select * from {{ ref('segment_catalog') }}
),

customers as (
    select count(*) as n_customers from {{ ref('customers') }}
),

members as (
    select
        segment,
        count(*) as n_members
    from {{ ref('segment_memberships') }}
    group by segment
),

changes as (
    select * from {{ ref('segment_changes') }}
    where changed_at <= {{ as_of() }}
),

-- A build records all changes since the build before. Without a build 7 to 8 days ago, the last 7 days are not known.
last_week as (
    select coalesce(max(changed_at) >= {{ date_add('day', -8, as_of()) }}, false) as is_recorded
    from changes
    where changed_at <= {{ week_ago }}
),

-- The first build of a segment records all members. These entries are no movement.
first_records as (
    select
        segment,
        min(changed_at) as began_at
    from changes
    group by segment
),

movements as (
    select
        changes.segment,
        first_records.began_at,
        count(case when changes.is_member and changes.changed_at > {{ week_ago }} and changes.changed_at > first_records.began_at then 1 end) as n_entered_7d,
        count(case when not changes.is_member and changes.changed_at > {{ week_ago }} then 1 end) as n_left_7d,
        sum(case when changes.changed_at > {{ week_ago }} then 0 when changes.is_member then 1 else -1 end) as n_members_week_ago
    from changes
    inner join first_records on changes.segment = first_records.segment
    group by changes.segment, first_records.began_at
),

segment_fields as (
    select * from {{ literal_rows({'segment': 'string', 'model_name': 'string', 'column_name': 'string'}, segment_field_rows()) }}
),

readiness as (
    select
        fields.segment,
        fields.model_name || '.' || fields.column_name as field,
        readiness.usable_share,
        readiness.staleness_days,
        dictionary.max_staleness_days,
        coalesce(readiness.may_carry_segment, false) as may_carry_segment
    from segment_fields as fields
    left join {{ ref('signal_readiness') }} as readiness
        on fields.model_name = readiness.model_name and fields.column_name = readiness.column_name
    left join {{ ref('field_dictionary') }} as dictionary
        on fields.model_name = dictionary.model_name and fields.column_name = dictionary.column_name
),

fields as (
    select
        segment,
        min(usable_share) as lowest_usable_share,
        max(staleness_days) as oldest_staleness_days,
        min(case when not may_carry_segment then field end) as thin_field,
        min(case when staleness_days > max_staleness_days then field end) as late_field
    from readiness
    group by segment
),

segment_measures as (
    select
        catalog.*,
        coalesce(members.n_members, 0) as n_members,
        customers.n_customers,
        cast(coalesce(members.n_members, 0) as {{ double_type() }}) / nullif(customers.n_customers, 0) as share_of_customers,
        fields.lowest_usable_share,
        fields.oldest_staleness_days,
        fields.thin_field,
        fields.late_field,
        coalesce(movements.n_entered_7d, 0) as n_entered_7d,
        coalesce(movements.n_left_7d, 0) as n_left_7d,
        case
            when last_week.is_recorded and movements.began_at <= {{ week_ago }}
                then
                    cast(greatest(movements.n_entered_7d, movements.n_left_7d) as {{ double_type() }})
                    / nullif(movements.n_members_week_ago, 0)
        end as churn_7d
    from catalog
    cross join customers
    cross join last_week
    left join members on catalog.segment = members.segment
    left join fields on catalog.segment = fields.segment
    left join movements on catalog.segment = movements.segment
),

segment_checks as (
    select
        *,
        n_members < minimum_size as is_below_minimum,
        case
            when share_of_customers < min_expected_share then share_of_customers - min_expected_share
            when share_of_customers > max_expected_share then share_of_customers - max_expected_share
            when share_of_customers is not null then 0
        end as share_beyond_expected,
        coalesce(churn_7d > max_churn_share, false) as is_unstable
    from segment_measures
)

select
    segment,
    kind,
    label,
    owner,
    cast(n_members as bigint) as n_members,
    share_of_customers,
    min_expected_share,
    max_expected_share,
    cast(share_beyond_expected as {{ double_type() }}) as share_beyond_expected,
    minimum_size,
    is_below_minimum,
    lowest_usable_share,
    cast(oldest_staleness_days as {{ double_type() }}) as oldest_staleness_days,
    cast(n_entered_7d as bigint) as n_entered_7d,
    cast(n_left_7d as bigint) as n_left_7d,
    churn_7d,
    max_churn_share,
    is_unstable,
    case
        when thin_field is not null then 'Rests on ' || thin_field || ', which has too few usable values to carry a segment.'
        when late_field is not null then 'Rests on ' || late_field || ', which is out of date.'
        when is_below_minimum
            then {{ counted('n_members', 'member') }} || ', below the minimum of ' || cast(minimum_size as {{ dbt.type_string() }}) || '.'
        when is_unstable
            then
                {{ tenths_text('churn_7d') }} || ' of members changed in 7 days, above the limit of '
                || {{ tenths_text('max_churn_share') }} || '.'
        when share_beyond_expected > 0
            then
                {{ counted('n_members', 'member') }} || ' (' || {{ tenths_text('share_of_customers') }} || ' of customers), above the expected maximum of '
                || cast(cast(floor(max_expected_share * n_customers + 0.000001) as bigint) as {{ dbt.type_string() }})
                || ' (' || {{ tenths_text('max_expected_share') }} || ').'
        when share_beyond_expected < 0
            then
                {{ counted('n_members', 'member') }} || ' (' || {{ tenths_text('share_of_customers') }} || ' of customers), below the expected minimum of '
                || cast(cast(ceil(min_expected_share * n_customers - 0.000001) as bigint) as {{ dbt.type_string() }})
                || ' (' || {{ tenths_text('min_expected_share') }} || ').'
    end as problem,
    {{ as_of() }} as checked_at
from segment_checks
