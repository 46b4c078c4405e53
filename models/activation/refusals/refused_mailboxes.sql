-- Mailboxes that an ESP must not write to: all present and past mailboxes of customers in a suppression audience, and
-- mailboxes that opted out and no longer belong to a customer.
with suppression_audiences as (
    select distinct audience from {{ ref('audience_catalog') }} where is_suppression
),

-- When the deciding opt-out was recorded: an opt-out after a new opt-in must be sent again.
opt_out_times as (
    select
        consents.customer_id,
        history.recorded_at as learned_at
    from {{ ref('consents') }} as consents
    inner join {{ ref('consent_history') }} as history on consents.deciding_event_id = history.consent_event_id
    where consents.channel = 'email' and consents.purpose = 'marketing_email' and not consents.is_allowed
),

customer_mailboxes as (
    select
        candidates.audience,
        points.widest_mailbox,
        candidates.customer_id,
        candidates.reason,
        opt_out_times.learned_at
    from {{ ref('audience_candidates') }} as candidates
    inner join suppression_audiences on candidates.audience = suppression_audiences.audience
    inner join {{ ref('contact_point_customers') }} as points
        on candidates.customer_id = points.customer_id and points.contact_type = 'email'
    left join opt_out_times on candidates.customer_id = opt_out_times.customer_id
),

-- Opt-outs from marketing by e-mail. An opt-out from an unknown purpose closes all marketing.
email_opt_outs as (
    select
        history.*,
        -- An opt-out by account applies to the address of that time, even if the account no longer exists.
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

-- Only the last opt-out of each account: joined with all of its mailboxes, many opt-outs would multiply.
account_opt_outs as (
    {% for identifier in ['shop_customer_id', 'contact_id', 'profile_id'] -%}
    select
        '{{ identifier }}' as identifier_type,
        {{ identifier }} as identifier,
        max(recorded_at) as recorded_at
    from email_opt_outs
    where {{ identifier }} is not null
    group by {{ identifier }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

opt_out_mailboxes as (
    select
        widest_mailbox,
        recorded_at
    from {{ with_mailboxes('email_opt_outs', email='address') }} as opt_outs
    where address is not null
    union all
    select
        substr(subjects.subject, 9) as widest_mailbox,
        account_opt_outs.recorded_at
    from account_opt_outs
    inner join {{ ref('consent_subjects') }} as subjects
        on account_opt_outs.identifier_type = subjects.identifier_type and account_opt_outs.identifier = subjects.identifier
    where subjects.subject like 'mailbox:%'
),

customer_subjects as (
    select distinct subject from {{ ref('subject_customers') }}
),

-- For a customer's mailbox, consents decides.
orphan_mailboxes as (
    select
        opt_out_mailboxes.widest_mailbox,
        max(opt_out_mailboxes.recorded_at) as learned_at
    from opt_out_mailboxes
    left join customer_subjects on customer_subjects.subject = 'mailbox:' || opt_out_mailboxes.widest_mailbox
    where customer_subjects.subject is null
    group by opt_out_mailboxes.widest_mailbox
),

all_mailboxes as (
    select
        audience,
        widest_mailbox,
        customer_id,
        reason,
        learned_at
    from customer_mailboxes
    union all
    select
        suppression_audiences.audience,
        orphan_mailboxes.widest_mailbox,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        'The address opted out and no longer belongs to a customer.' as reason,
        orphan_mailboxes.learned_at
    from orphan_mailboxes
    cross join suppression_audiences
)

select
    audience,
    widest_mailbox,
    min(customer_id) as customer_id,
    min(reason) as reason,
    max(learned_at) as learned_at
from all_mailboxes
group by audience, widest_mailbox
