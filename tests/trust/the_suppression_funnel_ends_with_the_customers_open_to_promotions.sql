-- The number left after the last rule equals the number of customers that contactability allows promotions for.
with funnel as (
    select min(n_left) as n_left
    from {{ ref('suppression_funnel') }}
    where measured_at = {{ as_of() }}
),

allowed as (
    select count(*) as n_allowed
    from {{ ref('contactability') }}
    where message_class = 'promotional' and is_allowed
)

select
    funnel.n_left,
    allowed.n_allowed
from funnel
cross join allowed
where funnel.n_left is distinct from allowed.n_allowed
