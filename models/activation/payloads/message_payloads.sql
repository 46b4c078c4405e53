-- Messages that a build decided to send and that the ESP has not accepted. An older decision goes out only if the customer may
-- still get it. They leave for one destination, so that no customer gets a message twice.
{%- set facts = ['decision_id', 'message_class', 'flow', 'step', 'slot', 'subject_id', 'subject_name', 'offer_percent', 'receiving_because'] + (['feedback_id'] if var('feedback_sender') else []) %}
{%- set pieces = [] %}
{%- for fact in facts -%}
{%- do pieces.append("'\"" ~ fact ~ "\": ' || " ~ text_as_json('messages.' ~ fact)) -%}
{%- endfor %}
with accepted_messages as (
    select distinct outbox_id
    from {{ ref('sync_receipts') }}
    where operation = 'send' and status = 'accepted'
),

decisions as (
    select * from {{ ref('message_decisions') }}
    where decision = 'send' and expires_at >= {{ as_of() }} and decided_at <= {{ as_of() }}
),

messages as (
    select
        decisions.decision_id,
        decisions.message_class,
        decisions.flow,
        decisions.step,
        decisions.slot,
        decisions.subject_id,
        enrolments.subject_name,
        cast(cast(round(100 * decisions.offer_share) as bigint) as {{ dbt.type_string() }}) as offer_percent,
        {% if var('feedback_sender') -%}
        -- An order confirmation says nothing about the customer's engagement.
        case
            when decisions.message_class <> 'transactional' then {{ feedback_id('decisions.slot', 'decisions.flow', "coalesce(tiers.tier, 'unknown')") }}
        end as feedback_id,
        {% endif -%}
        replace(flows.receiving_because, '{subject}', coalesce(enrolments.subject_name, '')) as receiving_because,
        enrolments.customer_id,
        customers.email,
        decisions.reason,
        decisions.expires_at,
        decisions.decided_at,
        {{ dbt.hash("'send/' || decisions.decision_id") }} as outbox_id
    from decisions
    inner join {{ ref('flow_enrolments') }} as enrolments on decisions.enrolment_id = enrolments.enrolment_id
    inner join {{ ref('flow_catalog') }} as flows on decisions.flow = flows.flow
    inner join {{ ref('customers') }} as customers on enrolments.customer_id = customers.customer_id
    inner join {{ ref('contactability') }} as contacts
        on
            enrolments.customer_id = contacts.customer_id
            and decisions.message_class = contacts.message_class
            and contacts.channel = 'email'
            and contacts.is_allowed
    left join {{ ref('engagement_tiers') }} as tiers on enrolments.customer_id = tiers.customer_id
    {{- pause_joins('decisions.flow', 'customers.mailbox_provider', "coalesce(tiers.tier, 'unknown')") }}
    where customers.email is not null and ({{ pause_reason() }} is null or decisions.message_class = 'transactional')
)

select
    '{{ message_destination() }}' as destination,
    messages.flow as audience,
    messages.email,
    messages.customer_id,
    messages.outbox_id,
    messages.reason,
    {{ object_as_json('messages.customer_id', pieces) }} as payload,
    messages.expires_at,
    messages.decided_at
from messages
left join accepted_messages on messages.outbox_id = accepted_messages.outbox_id
where accepted_messages.outbox_id is null{{ ' and false' if not message_destination() }}
