-- The offers of any 168 hours cost no more than the budget of a week (var offer_weekly_budget), as if each was used.
with offers as (
    select
        decided_at,
        sum(offer_cost) as cost
    from {{ ref('message_decisions') }}
    where decision = 'send' and offer_cost > 0 and decided_at > {{ date_add('hour', -336, as_of()) }}
    group by decided_at
)

select
    offers.decided_at,
    sum(earlier_offers.cost) as cost
from offers
inner join offers as earlier_offers
    on
        offers.decided_at >= earlier_offers.decided_at
        and {{ date_add('hour', -168, 'offers.decided_at') }} < earlier_offers.decided_at
group by offers.decided_at
having sum(earlier_offers.cost) > {{ var('offer_weekly_budget') }}
