-- Entering needs more interest than staying in the first days, so that single views do not move customers in and out.
with categories as (
    select
        customer_id,
        category,
        sum(interest) as interest,
        sum(n_views) as n_views,
        sum(n_units) as n_units
    from {{ ref('customer_products') }}
    group by customer_id, category
),

shares as (
    select
        *,
        cast(interest as {{ double_type() }}) / nullif(cast(sum(interest) over (partition by customer_id) as {{ double_type() }}), 0) as interest_share
    from categories
),

-- Products without a category and sensitive ones count in the total interest, but make no fan.
ranked_shares as (
    select
        shares.*,
        row_number() over (partition by shares.customer_id order by shares.interest desc, shares.category asc) as place
    from shares
    inner join {{ ref('categories') }} as visible_categories on shares.category = visible_categories.category
    where not visible_categories.is_sensitive
)

select
    customer_id,
    interest >= {{ var('category_fan_min_points') }} and interest_share >= {{ var('category_fan_min_share') }} as may_enter,
    {{ percent_text('interest_share') }} || ' of their interest is in ' || category || ': '
    || {{ counted('n_views', 'view') }} || ' in {{ var("interest_days") }} days, ' || {{ counted('n_units', 'unit', n_text=number_text('n_units')) }} || ' bought.' as reason
from ranked_shares
where
    place = 1
    and interest >= {{ var('category_fan_min_points') - var('category_fan_band_points') }}
