-- Guards stop additions, updates, and removals that pass on no opt-out. mailroom push reads them. An override applies to
-- one push of one audience, and is recorded.
-- Longer than 120 lines because the eight guards rest on five tables, each summed up in a CTE of its own.
{%- set rests_on = [] -%}
{%- for entry in audience_entries() -%}
{%- for field in entry.rests_on -%}
{%- set model_name, column_name = field.split('.') -%}
{%- do rests_on.append({'audience': entry.audience, 'model_name': model_name, 'column_name': column_name}) -%}
{%- endfor -%}
{%- endfor %}
with audiences as (
    select * from {{ ref('audience_catalog') }} where not is_suppression
),

vendors as (
    select * from {{ ref('vendor_register') }}
),

rests_on as (
    select * from {{ literal_rows({'audience': 'string', 'model_name': 'string', 'column_name': 'string'}, rests_on) }}
),

-- A field that signal_readiness does not measure is unfit.
unfit_signals as (
    select
        audiences.destination,
        audiences.audience,
        min(
            rests_on.model_name || '.' || rests_on.column_name || ': '
            || coalesce(readiness.reason, 'signal_readiness does not measure this field.')
        ) as signal_reason
    from audiences
    inner join rests_on on audiences.audience = rests_on.audience
    left join {{ ref('signal_readiness') }} as readiness
        on rests_on.model_name = readiness.model_name and rests_on.column_name = readiness.column_name
    where
        not coalesce(readiness.may_carry_segment, false)
        or not (readiness.may_steer_time_critical or (readiness.staleness_days is null and audiences.refresh <> 'hourly'))
    group by audiences.destination, audiences.audience
),

drift as (
    select min(sentence) as drift_reason
    from {{ ref('model_drift') }}
    where stops_activation
),

last_pushes as (
    select
        destination,
        max(decided_at) as last_decided_at
    from {{ ref('sync_receipts') }}
    group by destination
),

held_members as (
    select
        state.destination,
        state.audience,
        count(*) as n_held,
        count(members.email) as n_kept
    from {{ ref('esp_profile_state') }} as state
    left join {{ ref('audience_members') }} as members on state.audience = members.audience and state.email = members.email
    where state.state = 'member'
    group by state.destination, state.audience
),

planned_additions as (
    select
        destination,
        audience,
        count(*) as n_coming
    from {{ ref('sync_outbox') }}
    where operation = 'add'
    group by destination, audience
),

facts as (
    select
        audiences.destination,
        audiences.audience,
        audiences.fingerprint,
        audiences.approved_by,
        audiences.max_shrink_share,
        audiences.max_growth_share,
        coalesce(held_members.n_held, 0) as n_held,
        coalesce(held_members.n_kept, 0) + coalesce(planned_additions.n_coming, 0) as n_then,
        case
            when not coalesce(serving.may_receive, false)
                then coalesce(serving.reason, audiences.vendor || ' is not in the vendor register.')
            when audiences.also_with_consent_to is not null and not coalesce(besides.may_receive, false)
                then coalesce(besides.reason, audiences.vendor || ' is not in the vendor register.')
        end as vendor_reason,
        unfit_signals.signal_reason,
        case when audiences.rests_on_scores then drift.drift_reason end as drift_reason,
        last_pushes.last_decided_at
    from audiences
    cross join drift
    left join vendors as serving on audiences.vendor = serving.vendor and audiences.purpose = serving.purpose
    left join vendors as besides on audiences.vendor = besides.vendor and audiences.also_with_consent_to = besides.purpose
    left join held_members on audiences.destination = held_members.destination and audiences.audience = held_members.audience
    left join planned_additions
        on audiences.destination = planned_additions.destination and audiences.audience = planned_additions.audience
    left join last_pushes on audiences.destination = last_pushes.destination
    left join unfit_signals
        on audiences.destination = unfit_signals.destination and audiences.audience = unfit_signals.audience
),

-- One column per guard: why it stops the push, or null.
guards as (
    select
        destination,
        audience,
        case when approved_by is null then 'The definition is not approved (fingerprint ' || coalesce(fingerprint, 'none') || ').' end as unapproved,
        vendor_reason as vendor,
        case
            when n_held > 0 and n_then = 0
                then 'The push would remove all members: ' || cast(n_held as {{ dbt.type_string() }}) || ' now, none after.'
        end as emptied,
        case
            when n_held >= {{ var('guard_min_held') }} and n_then < (1 - max_shrink_share) * n_held
                then
                    'The audience would shrink from ' || cast(n_held as {{ dbt.type_string() }}) || ' to '
                    || cast(n_then as {{ dbt.type_string() }}) || ' members, below the limit of '
                    || cast(cast(ceil((1 - max_shrink_share) * n_held) as integer) as {{ dbt.type_string() }}) || '.'
        end as shrank,
        case
            when n_held >= {{ var('guard_min_held') }} and n_then > (1 + max_growth_share) * n_held
                then
                    'The audience would grow from ' || cast(n_held as {{ dbt.type_string() }}) || ' to '
                    || cast(n_then as {{ dbt.type_string() }}) || ' members, above the limit of '
                    || cast(cast(floor((1 + max_growth_share) * n_held) as integer) as {{ dbt.type_string() }}) || '.'
        end as grew,
        signal_reason as unfit_signals,
        drift_reason as drift,
        case
            when last_decided_at > {{ as_of() }}
                then 'The outbox is older than the last push, which was as of ' || cast(last_decided_at as {{ dbt.type_string() }}) || '.'
        end as outdated
    from facts
)

{% for guard in ['unapproved', 'vendor', 'emptied', 'shrank', 'grew', 'unfit_signals', 'drift', 'outdated'] -%}
select
    destination,
    audience,
    '{{ guard }}' as guard,
    {{ guard }} as reason
from guards
where {{ guard }} is not null
union all
{% endfor -%}
{%- set destination = message_destination() or '' -%}
{%- set vendor = var('destinations').get(destination, '') %}
-- A message needs a vendor that may receive data for the purpose of its flow.
select
    '{{ destination }}' as destination,
    flows.flow as audience,
    'vendor' as guard,
    coalesce(vendors.reason, '{{ vendor }} is not in the vendor register.') as reason
from {{ ref('flow_catalog') }} as flows
left join vendors on vendors.vendor = '{{ vendor }}' and flows.purpose = vendors.purpose
where '{{ destination }}' <> '' and not coalesce(vendors.may_receive, false)
