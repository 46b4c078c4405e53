-- Mailboxes that an ESP must not write to: each that a customer in a suppression audience has or ever had, and each that
-- has said no and is of no customer any more.
with suppression_audiences as (
    select distinct audience
    from {{ ref('audience_catalog') }}
    where is_suppression
),

-- When the no was learned of that decides today: a no after a new yes has to be passed on again.
learned as (
    select
        consents.customer_id,
        history.recorded_at as learned_at
    from {{ ref('consents') }} as consents
    inner join {{ ref('consent_history') }} as history on consents.deciding_event_id = history.consent_event_id
    where consents.channel = 'email' and consents.purpose = 'marketing_email' and not consents.is_allowed
),

of_customers as (
    select
        candidates.audience,
        points.widest_mailbox,
        candidates.customer_id,
        candidates.reason,
        learned.learned_at
    from {{ ref('audience_candidates') }} as candidates
    inner join suppression_audiences on candidates.audience = suppression_audiences.audience
    inner join {{ ref('contact_point_customers') }} as points
        on candidates.customer_id = points.customer_id and points.contact_type = 'email'
    left join learned on candidates.customer_id = learned.customer_id
),

-- Each no that closes marketing by e-mail; one that the register of purposes lacks closes all marketing.
noes as (
    select
        history.*,
        -- A no that names an account only is about the address of then, also once the account is gone.
        coalesce(history.email, history.email_then) as address
    from {{ ref('consent_history') }} as history
    left join {{ ref('consent_purposes') }} as purposes
        on history.channel = purposes.channel and history.purpose = purposes.purpose
    where
        history.consent_status not in ('granted', 'pending', '{{ not_said() }}')
        and history.recorded_at <= {{ as_of() }}
        and case
            when purposes.purpose is null then coalesce(history.purpose <> '{{ every_signalled_purpose() }}', true)
            else purposes.channel = 'email' and purposes.purpose = 'marketing_email'
        end
),

-- Of many noes by one account the last: the account may have had as many addresses.
noes_by_id as (
    {% for identifier in ['shop_customer_id', 'contact_id', 'profile_id'] -%}
    select
        '{{ identifier }}' as identifier_type,
        {{ identifier }} as identifier,
        max(recorded_at) as recorded_at
    from noes
    where {{ identifier }} is not null
    group by {{ identifier }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

named as (
    select
        widest_mailbox,
        recorded_at
    from {{ with_mailboxes('noes', email='address') }} as addressed
    where address is not null
    union all
    select
        substr(subjects.subject, 9) as widest_mailbox,
        noes_by_id.recorded_at
    from noes_by_id
    inner join {{ ref('consent_subjects') }} as subjects
        on noes_by_id.identifier_type = subjects.identifier_type and noes_by_id.identifier = subjects.identifier
    where subjects.subject like 'mailbox:%'
),

owned as (
    select distinct subject from {{ ref('subject_customers') }}
),

-- Of a customer's mailbox consents has the last word.
of_no_customer as (
    select
        named.widest_mailbox,
        max(named.recorded_at) as learned_at
    from named
    left join owned on owned.subject = 'mailbox:' || named.widest_mailbox
    where owned.subject is null
    group by named.widest_mailbox
),

refused as (
    select
        audience,
        widest_mailbox,
        customer_id,
        reason,
        learned_at
    from of_customers
    union all
    select
        suppression_audiences.audience,
        of_no_customer.widest_mailbox,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        'The address has said no, and is of no customer any more.' as reason,
        of_no_customer.learned_at
    from of_no_customer
    cross join suppression_audiences
)

select
    audience,
    widest_mailbox,
    min(customer_id) as customer_id,
    min(reason) as reason,
    max(learned_at) as learned_at
from refused
group by audience, widest_mailbox
