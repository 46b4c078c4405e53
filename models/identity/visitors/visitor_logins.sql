{{ config(materialized='view') }}
-- Accounts that logged in, and addresses given, on each device.
with sessions as (
    select distinct
        visitor_id,
        least_shop_customer_id,
        greatest_shop_customer_id,
        least_email,
        greatest_email
    from {{ ref('stg_web__sessions') }}
),

checkouts as (
    select distinct
        visitor_id,
        shop_customer_id,
        email
    from {{ ref('order_records') }}
    where visitor_id is not null
),

logins as (
    select
        visitor_id,
        'shop_customer_id' as identifier_type,
        least_shop_customer_id as identifier
    from sessions
    union all
    select
        visitor_id,
        'shop_customer_id' as identifier_type,
        greatest_shop_customer_id as identifier
    from sessions
    union all
    select
        visitor_id,
        'email' as identifier_type,
        least_email as identifier
    from sessions
    union all
    select
        visitor_id,
        'email' as identifier_type,
        greatest_email as identifier
    from sessions
    union all
    select
        visitor_id,
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier
    from checkouts
    union all
    select
        visitor_id,
        'email' as identifier_type,
        email as identifier
    from checkouts where shop_customer_id is null
)

select distinct
    visitor_id,
    identifier_type,
    identifier
from logins
where identifier is not null
