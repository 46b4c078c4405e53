-- The deadline of each request, also of rejected ones. An objection or erasure stops marketing in consents at once (GDPR
-- art. 21(3)); the deadline is for the reply. It counts from the calendar day on which the request came in.
-- Longer than 120 lines because the deadline needs the customer, whose country has the law, and the sentence needs all three.
{% set received_day = 'cast(' ~ day_of('requests.received_at') | trim ~ ' as timestamp)' %}
with requests as (
    select
        *,
        coalesce(completed_at <= {{ as_of() }}, false) or request_status = 'refused' as is_answered
    from {{ ref('privacy_requests') }}
    where not coalesce(is_still_to_come, false)
),

request_identifiers as (
    select
        request_id,
        'email' as identifier_type,
        widest_mailbox as identifier
    from {{ with_mailboxes('requests') }} as request_mailboxes
    {% for identifier in ['phone', 'shop_customer_id'] -%}
    union all
    select
        request_id,
        '{{ identifier }}' as identifier_type,
        {{ identifier }} as identifier
    from requests
    {% endfor %}
),

subject_bounds as (
    select
        subject,
        min(customer_id) as first_customer_id,
        max(customer_id) as last_customer_id
    from {{ ref('subject_customers') }}
    where is_current
    group by subject
),

-- Only if all identifiers in the request lead to one customer.
requesters as (
    select
        request_identifiers.request_id,
        min(subject_bounds.first_customer_id) as customer_id
    from request_identifiers
    inner join {{ ref('consent_subjects') }} as subjects
        on request_identifiers.identifier_type = subjects.identifier_type and request_identifiers.identifier = subjects.identifier
    inner join subject_bounds on subjects.subject = subject_bounds.subject
    where subjects.is_current
    group by request_identifiers.request_id
    having min(subject_bounds.first_customer_id) = max(subject_bounds.last_customer_id)
),

-- The law of var default_country, or else the one with the shortest term in the seed.
ranked_laws as (
    select
        *,
        row_number() over (
            order by
                case when country_code = '{{ var("default_country") }}' then 0 else 1 end,
                case request_term_unit when 'month' then 30 * request_term else request_term end,
                country_code
        ) as place
    from {{ ref('jurisdictions') }}
),

shop_law as (
    select
        max(country_code) as country_code,
        max(request_term_unit) as request_term_unit,
        max(request_term) as request_term,
        max(request_extension) as request_extension
    from ranked_laws
    where place = 1
),

-- If the country is unknown or has no law in the seed, the law of the shop's country applies.
dated_requests as (
    select
        requests.request_id,
        requests.request_type,
        requests.request_status,
        requests.received_at,
        requests.completed_at,
        requests.is_answered,
        requests.is_dated,
        requests.issue,
        -- An erased person is no customer. A person who comes back is a new customer.
        case when coalesce(erasures.erased_at is null or requests.request_status = 'refused', true) then requesters.customer_id end as customer_id,
        coalesce(erasures.is_held, false) as is_held,
        erasures.outcome,
        coalesce(law.country_code, shop_law.country_code) as law_of,
        case
            when coalesce(law.request_term_unit, shop_law.request_term_unit) = 'month'
                then {{ date_add('month', 'coalesce(law.request_term, shop_law.request_term)', received_day) }}
            else {{ date_add('day', 'coalesce(law.request_term, shop_law.request_term)', received_day) }}
        end as due_at,
        case
            when coalesce(law.request_term_unit, shop_law.request_term_unit) = 'month'
                then {{ date_add('month', 'coalesce(law.request_term + coalesce(law.request_extension, 0), shop_law.request_term + coalesce(shop_law.request_extension, 0))', received_day) }}
            else {{ date_add('day', 'coalesce(law.request_term + coalesce(law.request_extension, 0), shop_law.request_term + coalesce(shop_law.request_extension, 0))', received_day) }}
        end as extendable_to
    from requests
    left join requesters on requests.request_id = requesters.request_id
    left join {{ ref('erasure_requests') }} as erasures on requests.request_id = erasures.request_id
    left join {{ ref('customers') }} as customers on requesters.customer_id = customers.customer_id
    left join {{ ref('jurisdictions') }} as law on customers.country_code = law.country_code
    cross join shop_law
),

request_states as (
    select
        request_id,
        customer_id,
        request_type,
        law_of,
        received_at,
        case when is_answered and completed_at <= {{ as_of() }} then completed_at end as answered_at,
        is_dated,
        is_held,
        outcome,
        issue,
        cast(due_at as date) as due_on,
        cast(extendable_to as date) as extendable_until,
        case
            when request_status = 'refused' then 'refused'
            when is_answered then 'done'
            when request_status = 'done' then 'in_progress'
            else request_status
        end as status,
        case
            when not is_answered then {{ date_diff(as_of_day() | trim, 'cast(due_at as date)', 'day') }}
        end as days_left,
        case
            when is_answered then coalesce(completed_at <= {{ as_of() }} and {{ day_of('completed_at') }} > cast(due_at as date), false)
            else {{ as_of_day() }} > cast(due_at as date)
        end as is_overdue
    from dated_requests
)

select
    request_id,
    customer_id,
    request_type,
    status,
    law_of,
    received_at,
    due_on,
    extendable_until,
    answered_at,
    cast(days_left as bigint) as days_left,
    is_overdue,
    issue,
    case request_type
        when 'objection' then 'Objection'
        when 'erasure' then 'Request for erasure'
        when 'access' then 'Request for access'
        when 'rectification' then 'Request for rectification'
        when 'portability' then 'Request for portability'
        else 'Request of an unknown type'
    end
    || case when is_dated then ' of ' else ' without a usable date, known since ' end || {{ day_text('received_at') }}
    || case
        when status = 'refused' then ', refused' || coalesce(' on ' || {{ day_text('answered_at') }}, '')
        when status = 'done' then ', answered on ' || {{ day_text('answered_at') }}
        when is_overdue then ', overdue by ' || {{ counted('-days_left', 'day') }}
        else ', ' || {{ counted('days_left', 'day') }} || ' left'
    end
    || case when is_overdue and status in ('done', 'refused') then ', late' else '' end
    || ': due by ' || cast(due_on as {{ dbt.type_string() }}) || ' (' || law_of || ')'
    || case when is_held then '; a legal hold takes precedence' else '' end
    || case
        when outcome = 'names more than one person' then '; it names more than one person, so nothing is erased'
        when outcome = 'not readable' then '; nothing is erased until the request can be read'
        else ''
    end
    || case
        when request_type = 'objection' and status = 'refused'
            then '; an objection to direct marketing cannot be refused (GDPR art. 21(3)), so marketing stops'
        when customer_id is null or status = 'refused' or request_type not in ('objection', 'erasure', 'unknown') then ''
        else '; marketing stops'
    end
    || coalesce('; to fix: ' || issue, '')
    || '.' as reason
from request_states
