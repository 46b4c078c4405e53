-- People share few first names: what a name is compared by is worked out once a name, not once a record.
with names as (
    select distinct first_name
    from {{ ref('identity_records') }}
    where first_name is not null
),

keyed as (
    select
        first_name,
        {{ name_key('first_name') }} as name_key
    from names
),

named as (
    select
        keyed.first_name,
        coalesce({{ name_key('given_names.given_name') }}, keyed.name_key) as given_name
    from keyed
    left join {{ ref('given_names') }} as given_names on keyed.name_key = {{ name_key('given_names.short_name') }}
),

records as (
    select
        identity_records.record_key,
        identity_records.mailbox,
        identity_records.why_no_email,
        identity_records.phone,
        identity_records.shop_customer_id,
        named.given_name
    from {{ ref('identity_records') }} as identity_records
    left join named on identity_records.first_name = named.first_name
),

emails as (
    select
        records.record_key,
        records.given_name,
        'email' as identifier_type,
        records.mailbox as identifier,
        case when roles.local_part is not null then 'role account' else records.why_no_email end as why_not
    from records
    left join {{ ref('role_accounts') }} as roles on {{ dbt.split_part('records.mailbox', "'@'", 1) }} = roles.local_part
    where records.mailbox is not null
),

phones as (
    select
        record_key,
        given_name,
        'phone' as identifier_type,
        phone as identifier,
        cast(null as {{ dbt.type_string() }}) as why_not
    from records
    where phone is not null
),

accounts as (
    select
        record_key,
        given_name,
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

-- An address that goes by several names is shared (a family, a couple). Names are compared by their first letters
-- here: to part one mailbox into two customers is to write to it twice.
shared as (
    select
        identifier_type,
        identifier,
        count(*) as n_records,
        min(substr(given_name, 1, 3)) <> max(substr(given_name, 1, 3)) as has_several_names
    from identifiers
    group by identifier_type, identifier
    having
        count(*) > {{ var('identity_max_records_per_identifier') }}
        or min(substr(given_name, 1, 3)) <> max(substr(given_name, 1, 3))
),

crowds as (
    select
        shared.identifier_type,
        shared.identifier
    from shared
    inner join identifiers
        on shared.identifier_type = identifiers.identifier_type and shared.identifier = identifiers.identifier
    where shared.has_several_names and shared.n_records > {{ var('identity_max_names') }}
    group by shared.identifier_type, shared.identifier
    having count(distinct substr(identifiers.given_name, 1, 3)) > {{ var('identity_max_names') }}
)

select
    identifiers.record_key,
    identifiers.identifier_type,
    identifiers.identifier,
    identifiers.given_name,
    case
        -- A phone stands in a home more often than not: it joins only records of one given name.
        when identifiers.identifier_type = 'phone' then identifiers.identifier || '|' || identifiers.given_name
        when identifiers.identifier_type = 'email' and shared.has_several_names
            then identifiers.identifier || '|' || substr(identifiers.given_name, 1, 3)
        else identifiers.identifier
    end as joins_by,
    coalesce(
        identifiers.why_not,
        case
            when impersonal.identifier is not null then impersonal.why
            when
                identifiers.identifier_type = 'phone'
                and {{ matches_pattern('identifiers.identifier', placeholder_phone()) | trim }}
                then 'a placeholder number'
            when shared.n_records > {{ var('identity_max_records_per_identifier') }}
                then 'seen on more than {{ var("identity_max_records_per_identifier") }} records'
            when crowds.identifier is not null
                then 'goes by more than {{ var("identity_max_names") }} names'
            when identifiers.identifier_type = 'phone' and identifiers.given_name is null
                then 'a phone number, and the record has no given name'
            when identifiers.identifier_type = 'email' and shared.has_several_names and identifiers.given_name is null
                then 'shared by people of several names, and the record has none'
        end
    ) as why_not
from identifiers
left join shared
    on identifiers.identifier_type = shared.identifier_type and identifiers.identifier = shared.identifier
left join crowds
    on identifiers.identifier_type = crowds.identifier_type and identifiers.identifier = crowds.identifier
left join {{ ref('impersonal_identifiers') }} as impersonal
    on
        identifiers.identifier_type = 'phone'
        and impersonal.identifier_type = 'phone'
        and identifiers.identifier = impersonal.identifier
