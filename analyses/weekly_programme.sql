-- Weekly: what did each flow and campaign do in the last 7 days, beside an average week of the 28 days before?
with weeks as (
    select
        source,
        kpi_on > {{ days_before(as_of_day(), 7) }} as is_last_week,
        n_sent,
        n_delivered,
        n_clicked,
        n_unsubscribed,
        n_orders,
        revenue
    from {{ ref('programme_kpis') }}
    where kpi_on <= {{ as_of_day() }} and kpi_on > {{ days_before(as_of_day(), 35) }}
),

sums as (
    select
        source,
        {% for column in ['n_sent', 'n_delivered', 'n_clicked', 'n_unsubscribed', 'n_orders', 'revenue'] -%}
        sum(case when is_last_week then {{ column }} else 0 end) as {{ column }},
        sum(case when is_last_week then 0 else {{ column }} end) / 4.0 as {{ column }}_before{{ ',' if not loop.last }}
        {% endfor %}
    from weeks
    group by source
)

select
    source,
    n_sent,
    n_sent_before,
    cast(n_clicked as {{ double_type() }}) / nullif(n_delivered, 0) as click_share,
    cast(n_clicked_before as {{ double_type() }}) / nullif(n_delivered_before, 0) as click_share_before,
    n_unsubscribed,
    n_orders,
    revenue,
    revenue_before,
    source || ' sent ' || {{ counted('n_sent', 'message') }} || ', with ' || {{ counted('n_orders', 'order') }} || ' credited to the last click.' as sentence
from sums
order by revenue desc, n_sent desc, source
