-- Survivorship: each field has the value from its source of truth (the list in its YAML entry), then the newest. A relay
-- address of a marketplace is used only if there is no other.
with domains as (
    select distinct {{ dbt.split_part('email', "'@'", 2) }} as email_domain
    from {{ ref('identity_records') }}
    where email is not null
),

relay_domains as (
    select distinct domains.email_domain
    from domains
    inner join {{ ref('marketplace_domains') }} as marketplaces
        on {{ is_lent_by_marketplace('domains.email_domain', 'marketplaces.email_domain') }}
),

records as (
    select
        identity_records.*,
        case when relay_domains.email_domain is null then identity_records.email end as own_email,
        record_customers.customer_id,
        -- A customer who came back after an erasure has only what is newer.
        case
            when record_customers.erased_until is null then identity_records.first_seen_at
            else record_customers.first_seen_at
        end as known_since_at,
        row_number() over (
            partition by record_customers.customer_id
            order by identity_records.updated_at nulls first, identity_records.record_key
        ) as recency
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as record_customers
        on identity_records.record_key = record_customers.record_key
    left join relay_domains on {{ dbt.split_part('identity_records.email', "'@'", 2) }} = relay_domains.email_domain
)

select
    customer_id,
    coalesce({{ survivor('customers', 'email', 'own_email') }}, {{ survivor('customers', 'email') }}) as email,
    {% for field in [
        'phone', 'first_name', 'last_name', 'street', 'postal_code', 'city', 'country_code',
        'language_code', 'time_zone', 'acquisition_channel'
    ] -%}
    {{ survivor('customers', field) }} as {{ field }},
    {% endfor -%}
    {{ value_at_min('record_type', recency_key("coalesce(known_since_at, cast('9999-12-31' as timestamp))", 'record_key'), is_unique=true) }} as first_record_type,
    count(*) as n_records,
    count(distinct email) as n_emails,
    min(known_since_at) as first_seen_at,
    max(updated_at) as updated_at
from records
group by customer_id
