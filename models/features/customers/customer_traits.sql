-- Traits that buyers and non-buyers can share: country, stated preferences, interests, and behaviour up to the first order,
-- or up to now without one. Having bought is not a trait.
-- Longer than 120 lines because seven traits come from five tables.
{% set scored_on = scoring_day() %}
{% set described_on = date_add('day', 'case when features.n_order_days > 0 then -cast(features.age_days as integer) else 0 end', 'features.counted_on') %}
with profiled_customers as (
    select
        features.customer_id,
        features.is_sampled,
        features.sample_weight,
        features.may_watch,
        features.n_order_days > 0 as has_bought,
        features.known_days - coalesce(features.age_days, 0) as known_days,
        cast({{ described_on }} as date) as described_on,
        -- Ties share a rank, so the boundary never splits them.
        features.net_revenue_365d > 0
        and rank() over (partition by features.n_order_days > 0 order by features.net_revenue_365d desc) - 1
        < {{ var('best_buyer_share') }} * count(*) over (partition by features.n_order_days > 0) as is_best_buyer,
        customers.country_code,
        customers.language_code,
        customers.acquisition_channel,
        customers.mailbox_provider,
        customers.preferred_categories
    from {{ ref('customer_features') }} as features
    inner join {{ ref('customers') }} as customers on features.customer_id = customers.customer_id
    where features.is_scoring
),

activity as (
    select
        customer_id,
        activity_on,
        n_sessions,
        n_emails_sent,
        n_human_clicks
    from {{ ref('customer_daily_activity') }}
    where n_sessions > 0 or n_emails_sent > 0 or n_human_clicks > 0
),

tracking_start as (
    select min(case when n_sessions > 0 then activity_on end) as tracked_since
    from activity
),

recent_activity as (
    select
        profiled_customers.customer_id,
        coalesce(sum(case when activity.activity_on >= {{ days_before('profiled_customers.described_on', 30) }} then activity.n_sessions end), 0) as n_sessions,
        coalesce(sum(activity.n_emails_sent), 0) as n_emails_sent,
        coalesce(sum(activity.n_human_clicks), 0) as n_human_clicks
    from profiled_customers
    left join activity
        on
            profiled_customers.customer_id = activity.customer_id
            and activity.activity_on < profiled_customers.described_on
            and activity.activity_on >= {{ days_before('profiled_customers.described_on', 90) }}
    -- A customer first seen in an order has no days before it.
    where profiled_customers.may_watch and profiled_customers.known_days > 0
    group by profiled_customers.customer_id
),

interests as (
    select
        customer_id,
        category,
        interest
    from {{ ref('category_interest') }}
    where is_scoring
),

totals as (
    select
        customer_id,
        sum(interest) as own_interest
    from interests
    group by customer_id
),

categories as (
    select category from {{ ref('category_shares') }} where cutoff_on = {{ scored_on }}
),

-- Strong interests and stated preferences count as the same trait.
liked_categories as (
    select
        interests.customer_id,
        interests.category
    from interests
    inner join totals on interests.customer_id = totals.customer_id
    where interests.interest >= {{ var('trait_interest_min_share') }} * totals.own_interest
    union distinct
    select
        profiled_customers.customer_id,
        categories.category
    from profiled_customers
    inner join categories
        on
            ',' || lower(replace(profiled_customers.preferred_categories, ', ', ',')) || ','
            like '%,' || lower(categories.category) || ',%'
),

traits as (
    {% for trait, column in [('country', 'country_code'), ('language', 'language_code'), ('channel', 'acquisition_channel'), ('mailbox', 'mailbox_provider')] -%}
    select
        customer_id,
        '{{ trait }}' as trait,
        {{ column }} as trait_value
    from profiled_customers
    where {{ column }} is not null
    union all
    {% endfor -%}
    select
        customer_id,
        'interest' as trait,
        category as trait_value
    from liked_categories
    union all
    select
        recent_activity.customer_id,
        'sessions' as trait,
        case when recent_activity.n_sessions = 0 then 'none' when recent_activity.n_sessions = 1 then 'one' when recent_activity.n_sessions < 5 then '2 to 4' else '5 or more' end
            as trait_value
    from recent_activity
    inner join profiled_customers on recent_activity.customer_id = profiled_customers.customer_id
    cross join tracking_start
    where tracking_start.tracked_since <= {{ days_before('profiled_customers.described_on', 30) }}
    union all
    select
        customer_id,
        'clicks' as trait,
        case when n_human_clicks = 0 then 'none' when n_human_clicks = 1 then 'one' else '2 or more' end as trait_value
    from recent_activity
    where n_emails_sent > 0
)

select
    traits.customer_id,
    traits.trait,
    traits.trait_value,
    count(*) over (partition by traits.customer_id, traits.trait) as n_values,
    profiled_customers.has_bought,
    profiled_customers.has_bought and profiled_customers.is_best_buyer as is_best_buyer,
    profiled_customers.is_sampled,
    profiled_customers.sample_weight
from traits
inner join profiled_customers on traits.customer_id = profiled_customers.customer_id
