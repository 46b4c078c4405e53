with records as (
    select * from {{ ref('identity_records') }}
),

mailboxes as (
    select
        records.record_key,
        records.first_name,
        {{ dbt.split_part('records.email', "'@'", 1) }} as local_part,
        {{ dbt.split_part('records.email', "'@'", 2) }} as email_domain
    from records
    where records.email is not null
),

emails as (
    select
        mailboxes.record_key,
        mailboxes.first_name,
        'email' as identifier_type,
        {% if var('normalise_mailbox_aliases') -%}
        case
            when domains.ignores_dots and domains.ignores_plus_part
                then replace({{ dbt.split_part('mailboxes.local_part', "'+'", 1) }}, '.', '')
            when domains.ignores_plus_part then {{ dbt.split_part('mailboxes.local_part', "'+'", 1) }}
            else mailboxes.local_part
        end || '@' || coalesce(domains.canonical_domain, mailboxes.email_domain) as identifier,
        {%- else -%}
        mailboxes.local_part || '@' || mailboxes.email_domain as identifier,
        {%- endif %}
        case when roles.local_part is not null then 'role account' end as why_not
    from mailboxes
    left join {{ ref('mailbox_domains') }} as domains on mailboxes.email_domain = domains.email_domain
    left join {{ ref('role_accounts') }} as roles on mailboxes.local_part = roles.local_part
),

phones as (
    select
        record_key,
        first_name,
        'phone' as identifier_type,
        phone as identifier,
        cast(null as {{ dbt.type_string() }}) as why_not
    from records
    where phone is not null
),

accounts as (
    select
        record_key,
        first_name,
        'shop_customer_id' as identifier_type,
        shop_customer_id as identifier,
        cast(null as {{ dbt.type_string() }}) as why_not
    from records
    where shop_customer_id is not null
),

identifiers as (
    select * from emails
    union all
    select * from phones
    union all
    select * from accounts
),

keyed as (
    select
        *,
        {{ name_key('first_name') }} as name_key
    from identifiers
),

named as (
    select
        keyed.*,
        coalesce({{ name_key('given_names.given_name') }}, keyed.name_key) as given_name
    from keyed
    left join {{ ref('given_names') }} as given_names on keyed.name_key = {{ name_key('given_names.short_name') }}
),

-- An address that goes by several names is shared (a family, a couple). Names are compared by their first letters
-- here: to part one mailbox into two customers is to write to it twice.
shared as (
    select
        identifier_type,
        identifier,
        count(*) as n_records,
        count(distinct substr(given_name, 1, 3)) as n_names
    from named
    group by identifier_type, identifier
)

select
    named.record_key,
    named.identifier_type,
    named.identifier,
    case
        -- A phone stands in a home more often than not: it joins only records of one given name.
        when named.identifier_type = 'phone' then named.identifier || '|' || named.given_name
        when named.identifier_type = 'email' and shared.n_names > 1
            then named.identifier || '|' || substr(named.given_name, 1, 3)
        else named.identifier
    end as joins_by,
    coalesce(
        named.why_not,
        case
            when blocked.identifier is not null then 'blocked' || coalesce(': ' || blocked.why, '')
            when
                named.identifier_type = 'phone'
                and {{ matches_pattern('named.identifier', placeholder_phone()) | trim }}
                then 'a placeholder number'
            when shared.n_records > {{ var('identity_max_records_per_identifier') }}
                then 'seen on more than {{ var("identity_max_records_per_identifier") }} records'
            when named.identifier_type = 'phone' and named.given_name is null
                then 'a phone number, and the record has no given name'
            when named.identifier_type = 'email' and shared.n_names > 1 and named.given_name is null
                then 'shared by people of several names, and the record has none'
        end
    ) as why_not
from named
inner join shared
    on named.identifier_type = shared.identifier_type and named.identifier = shared.identifier
left join {{ ref('blocked_identifiers') }} as blocked
    on named.identifier_type = blocked.identifier_type and named.identifier = blocked.identifier
