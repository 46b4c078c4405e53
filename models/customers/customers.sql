-- Longer than 120 lines because half of them name the columns of this widest table, and each CTE sums up one source.
with profiles as (
    select * from {{ ref('customer_profiles') }}
    {%- if var('keep_anonymous_visitors') %}
    union all
    {{ anonymous_profiles() }}
    {%- endif %}
),

activity as (
    select
        *,
        {{ date_diff('activity_on', as_of_day(), 'day') }} as days_ago
    from {{ ref('customer_daily_activity') }}
),

orders_with_gaps as (
    select
        *,
        -- Two orders on one day are one purchase (a forgotten item), so they are no interval.
        nullif(days_since_previous_order, 0) as gap_days,
        row_number() over (
            partition by customer_id, coalesce(days_since_previous_order, 0) > 0 order by sale_number desc
        ) as newest_first
    from {{ ref('orders') }}
    where is_sale
),

orders as (
    select
        customer_id,
        min(case when not coalesce(is_renewal, false) then ordered_at end) as first_ordered_at,
        max(case when not coalesce(is_renewal, false) then ordered_at end) as last_ordered_at,
        count(case when not coalesce(is_renewal, false) then 1 end) as n_orders,
        count(case when is_renewal then 1 end) as n_renewals,
        sum(net_amount) as net_amount,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        avg(cast(gap_days as {{ double_type() }})) as mean_days_between_orders,
        case
            when count(gap_days) >= {{ var('rhythm_min_intervals') }}
                then {{ median('case when newest_first <= ' ~ var('rhythm_newest_intervals') ~ ' then gap_days end') }}
        end as usual_days_between_orders
    from orders_with_gaps
    group by customer_id
),

windows as (
    select
        customer_id,
        sum(returned_amount) as returned_amount,
        {{ window_sums('revenue', [365], value='revenue - returned_amount') }},
        {{ window_sums('n_sessions', [1, 7, 30, 90]) }},
        {{ window_sums('n_product_views', [1, 7, 30, 90]) }},
        {{ window_sums('n_cart_adds', [1, 7, 30, 90]) }},
        {{ window_sums('n_emails_sent', [7, 30, 90]) }},
        {{ window_sums('n_human_opens', [7, 30, 90]) }},
        {{ window_sums('n_human_clicks', [7, 30, 90]) }},
        min(activity_on) as first_active_on,
        max(case when n_emails_sent > 0 then activity_on end) as last_emailed_on,
        max(last_seen_at) as last_seen_at,
        max(last_cart_add_at) as last_cart_add_at,
        max(last_human_opened_at) as last_human_opened_at,
        max(last_human_clicked_at) as last_human_clicked_at
    from activity
    group by customer_id
),

carts as (
    select * from {{ ref('customer_carts') }}
),

top_categories as (
    select
        customer_id,
        {{ value_at_max('category', "lpad(cast(n_units as " ~ dbt.type_string() ~ "), 20, '0') || category", is_unique=true) }} as top_category,
        max(unit_share) as top_category_share,
        count(*) as n_categories
    from {{ ref('customer_categories') }}
    where n_units > 0
    group by customer_id
),

brand_units as (
    select
        customer_id,
        brand,
        sum(quantity) as n_units
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and brand is not null
    group by customer_id, brand
),

brands as (
    select
        customer_id,
        {{ value_at_max('brand', "lpad(cast(n_units as " ~ dbt.type_string() ~ "), 20, '0') || brand", is_unique=true) }} as top_brand
    from brand_units
    where n_units > 0
    group by customer_id
),

tickets as (
    select
        customer_id,
        count(case when is_open then 1 end) as n_open_tickets,
        {{ value_at_max('satisfaction', recency_key('coalesce(solved_at, updated_at)', 'ticket_id'), is_unique=true) }} as last_satisfaction,
        {{ value_at_max('case when satisfaction is not null then created_at end', "case when satisfaction is not null then " ~ recency_key('coalesce(solved_at, updated_at)', 'ticket_id') ~ " end", is_unique=true) }} as last_rated_ticket_at,
        max(created_at) as last_ticket_at
    from {{ ref('customer_tickets') }}
    group by customer_id
),

opportunities as (
    select
        records.customer_id,
        count(*) as n_open_opportunities,
        sum(opportunities.amount) as open_opportunity_amount
    from {{ ref('stg_crm__opportunities') }} as opportunities
    inner join {{ ref('record_customers') }} as records
        on records.record_type = 'crm_contact' and opportunities.contact_id = records.record_id
    where coalesce(opportunities.closed_at > {{ as_of() }}, opportunities.stage in ('open', 'negotiation'))
    group by records.customer_id
),

preferences as (
    select
        records.customer_id,
        {{ value_at_max('profiles.preferred_categories', recency_key("coalesce(profiles.updated_at, cast('1900-01-01' as timestamp))", 'profiles.profile_id'), is_unique=true) }} as preferred_categories,
        {{ value_at_max('profiles.preferred_frequency', recency_key("coalesce(profiles.updated_at, cast('1900-01-01' as timestamp))", 'profiles.profile_id'), is_unique=true) }} as preferred_frequency,
        {{ value_at_max('profiles.birthday', recency_key("coalesce(profiles.updated_at, cast('1900-01-01' as timestamp))", 'profiles.profile_id'), is_unique=true) }} as birthday
    from {{ ref('stg_esp__profiles') }} as profiles
    inner join {{ ref('record_customers') }} as records
        on records.record_type = 'esp_profile' and profiles.profile_id = records.record_id
    group by records.customer_id
),

subscriptions as (
    select
        customer_id,
        count(case when subscription_status = 'active' then 1 end) as n_active_subscriptions,
        min(next_charge_at) as next_charge_at,
        min(case when subscription_status = 'active' then started_at end) as subscribed_since,
        max(cancelled_at) as last_cancelled_at
    from {{ ref('subscriptions') }}
    group by customer_id
),

countries as (
    select * from {{ ref('countries') }}
),

mailboxes as (
    select * from {{ ref('mailbox_domains') }}
),

roles as (
    select * from {{ ref('role_accounts') }}
)

select
    profiles.customer_id,
    profiles.email,
    profiles.phone,
    profiles.first_name,
    profiles.last_name,
    profiles.street,
    profiles.postal_code,
    profiles.city,
    profiles.country_code,
    coalesce(profiles.time_zone, countries.time_zone) as time_zone,
    profiles.language_code,
    case when profiles.email is not null then coalesce(mailboxes.mailbox_provider, 'other') end as mailbox_provider,
    {{ household_id('profiles.street', 'profiles.postal_code', 'profiles.country_code') }} as household_id,
    profiles.first_record_type,
    profiles.acquisition_channel,
    top_categories.top_category,
    brands.top_brand,
    preferences.preferred_categories,
    preferences.preferred_frequency,
    preferences.birthday,

    cast(profiles.n_records as bigint) as n_records,
    cast(coalesce(orders.n_orders, 0) as bigint) as n_orders,
    cast(coalesce(orders.n_renewals, 0) as bigint) as n_renewals,
    cast(coalesce(subscriptions.n_active_subscriptions, 0) as bigint) as n_active_subscriptions,
    cast(coalesce(orders.net_amount, 0) - coalesce(windows.returned_amount, 0) as decimal(18, 2)) as net_revenue,
    cast(coalesce(windows.revenue_365d, 0) as decimal(18, 2)) as revenue_365d,
    {{ average_money('greatest(orders.net_amount - coalesce(windows.returned_amount, 0), 0)', '(orders.n_orders + orders.n_renewals)') }} as average_order_value,
    cast(orders.discount_amount as {{ double_type() }}) / cast(nullif(orders.gross_amount, 0) as {{ double_type() }}) as discount_share,
    -- A refund without a known order may exceed the purchases.
    case
        when orders.net_amount > 0
            then least(1, cast(coalesce(windows.returned_amount, 0) as {{ double_type() }}) / cast(orders.net_amount as {{ double_type() }}))
    end as refund_share,
    orders.mean_days_between_orders,
    cast(orders.usual_days_between_orders as {{ double_type() }}) as usual_days_between_orders,
    top_categories.top_category_share,
    cast(coalesce(top_categories.n_categories, 0) as bigint) as n_categories,
    {% for days in [1, 7, 30, 90] -%}
    cast(coalesce(windows.n_sessions_{{ days }}d, 0) as bigint) as n_sessions_{{ days }}d,
    cast(coalesce(windows.n_product_views_{{ days }}d, 0) as bigint) as n_product_views_{{ days }}d,
    cast(coalesce(windows.n_cart_adds_{{ days }}d, 0) as bigint) as n_cart_adds_{{ days }}d,
    {% endfor -%}
    {% for days in [7, 30, 90] -%}
    cast(coalesce(windows.n_emails_sent_{{ days }}d, 0) as bigint) as n_emails_sent_{{ days }}d,
    cast(coalesce(windows.n_human_opens_{{ days }}d, 0) as bigint) as n_human_opens_{{ days }}d,
    cast(coalesce(windows.n_human_clicks_{{ days }}d, 0) as bigint) as n_human_clicks_{{ days }}d,
    {% endfor -%}
    cast(coalesce(tickets.n_open_tickets, 0) as bigint) as n_open_tickets,
    cast(tickets.last_satisfaction as bigint) as last_satisfaction,
    cast(coalesce(opportunities.n_open_opportunities, 0) as bigint) as n_open_opportunities,
    cast(opportunities.open_opportunity_amount as decimal(18, 2)) as open_opportunity_amount,

    roles.local_part is not null as is_role_account,
    {% for days in [1, 7, 30, 90] -%}
    coalesce({{ day_of('carts.filled_at') }} >= {{ days_before(as_of_day(), days) }}, false) as has_open_cart_{{ days }}d,
    {% endfor -%}

    -- If no record has a creation date, the first day with an activity or an e-mail sent counts.
    coalesce(profiles.first_seen_at, {{ day_begins('cast(windows.first_active_on as timestamp)') }}) as first_seen_at,
    orders.first_ordered_at,
    orders.last_ordered_at,
    {{ latest(['windows.last_seen_at', 'orders.last_ordered_at', 'windows.last_human_clicked_at']) }} as last_seen_at,
    windows.last_cart_add_at,
    carts.filled_at as cart_filled_at,
    windows.last_emailed_on,
    windows.last_human_opened_at,
    windows.last_human_clicked_at,
    subscriptions.next_charge_at,
    subscriptions.subscribed_since,
    subscriptions.last_cancelled_at,
    tickets.last_rated_ticket_at,
    tickets.last_ticket_at,
    profiles.updated_at
from profiles
left join orders on profiles.customer_id = orders.customer_id
left join windows on profiles.customer_id = windows.customer_id
left join carts on profiles.customer_id = carts.customer_id
left join top_categories on profiles.customer_id = top_categories.customer_id
left join brands on profiles.customer_id = brands.customer_id
left join tickets on profiles.customer_id = tickets.customer_id
left join opportunities on profiles.customer_id = opportunities.customer_id
left join preferences on profiles.customer_id = preferences.customer_id
left join subscriptions on profiles.customer_id = subscriptions.customer_id
left join countries on profiles.country_code = countries.country_code
left join mailboxes on {{ dbt.split_part('profiles.email', "'@'", 2) }} = mailboxes.email_domain
left join roles on {{ dbt.split_part('profiles.email', "'@'", 1) }} = roles.local_part
