-- One promotion per household or account. Large ones are dormitories or offices, where each person reads their own mail.
with members as (
    select
        customer_id,
        household_id as group_id,
        'household' as group_type
    from {{ ref('customers') }}
    where household_id is not null
    union distinct
    select
        records.customer_id,
        contacts.account_id as group_id,
        'account' as group_type
    from {{ ref('stg_crm__contacts') }} as contacts
    inner join {{ ref('record_customers') }} as records
        on records.record_type = 'crm_contact' and contacts.contact_id = records.record_id
    where contacts.account_id is not null
),

small_groups as (
    select
        group_type,
        group_id
    from members
    group by group_type, group_id
    having count(*) between 2 and {{ var('household_max_customers') }}
),

promoted_members as (
    select
        members.customer_id,
        members.group_type,
        max(messages.last_promoted_at) as promoted_at
    from members
    inner join small_groups on members.group_type = small_groups.group_type and members.group_id = small_groups.group_id
    inner join members as others on members.group_type = others.group_type and members.group_id = others.group_id
    inner join {{ ref('customer_message_counts') }} as messages on others.customer_id = messages.customer_id
    where members.customer_id <> others.customer_id and messages.last_promoted_at is not null
    group by members.customer_id, members.group_type
)

select
    customer_id,
    'promotional' as scope,
    max(promoted_at) as since,
    {{ date_add('day', var('household_rest_days'), 'max(promoted_at)') }} as until,
    'Another customer in the ' || min(group_type) || ' was sent a promotion on ' || {{ day_text('max(promoted_at)') }} || '.' as reason
from promoted_members
group by customer_id
