-- Quarterly: for each purpose, which system has the deciding consent event, how many customers opted in, and what lapses soon?
select
    consents.channel,
    consents.purpose,
    coalesce(history.source_system, 'none') as decided_by,
    count(*) as n_customers,
    cast(count(*) as {{ double_type() }}) / sum(count(*)) over (partition by consents.channel, consents.purpose) as customer_share,
    count(case when consents.is_allowed then 1 end) as n_allowed,
    cast(count(case when consents.is_allowed then 1 end) as {{ double_type() }}) / count(*) as allowed_share,
    count(case when consents.expires_at <= {{ date_add('day', 90, as_of()) }} then 1 end) as n_lapsing_in_90_days
from {{ ref('consents') }} as consents
left join {{ ref('consent_history') }} as history on consents.deciding_event_id = history.consent_event_id
group by consents.channel, consents.purpose, coalesce(history.source_system, 'none')
order by consents.channel, consents.purpose, n_customers desc, decided_by
