-- An order in a currency without a rate on its day (seed exchange_rates) is rejected, unless it is the shop's currency.
with orders as (
    select
        *,
        coalesce(upper(currency), '{{ var("currency") }}') as currency_code
    from {{ ref('base_shop__orders') }}
),

rates as (
    select
        upper(currency) as currency,
        valid_from,
        lead(valid_from) over (partition by upper(currency) order by valid_from) as valid_until,
        rate
    from {{ ref('exchange_rates') }}
),

orders_with_rate as (
    select
        orders.*,
        case when orders.currency_code = '{{ var("currency") }}' then 1 else rates.rate end as exchange_rate
    from orders
    left join rates
        on
            orders.currency_code = rates.currency
            and {{ day_of('orders.ordered_at') }} >= rates.valid_from
            and ({{ day_of('orders.ordered_at') }} < rates.valid_until or rates.valid_until is null)
),

flagged_orders as (
    select
        *,
        reject_reason is null and exchange_rate is null as is_without_rate
    from orders_with_rate
)

select
    {% for column in (contract_columns('shop', 'orders') if execute else []) -%}
    {{ column.name }},
    {% endfor -%}
    currency_code,
    cast(exchange_rate as decimal(18, 8)) as exchange_rate,
    case when is_without_rate then 'currency is not an accepted value' else reject_reason end as reject_reason,
    blanked_columns,
    case
        when is_without_rate then coalesce(refused_values || '; ', '') || 'currency=' || currency
        else refused_values
    end as refused_values
from flagged_orders
