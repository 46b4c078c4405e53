{{ config(materialized='view') }}
-- The checkboxes of the shop and the CRM, with the time of their last change. An unreadable value is an opt-out.
with shop_checkboxes as (
    select
        'shop' as source_system,
        case
            when reject_reason is null then customer_id
            else {{ set_aside_key('customer_id', ['email_given', 'accepts_marketing_at']) }}
        end as source_key,
        email,
        email_given,
        customer_id as shop_customer_id,
        case when {{ is_blanked('accepts_marketing') }} then false else accepts_marketing end as is_yes,
        'shop_checkbox' as recorded_by,
        case when {{ is_blanked('accepts_marketing_at') }} then {{ unreadable_date() }} else accepts_marketing_at end as occurred_at,
        reject_reason
    from {{ ref('base_shop__customers') }}
),

crm_checkboxes as (
    select
        'crm' as source_system,
        case
            when reject_reason is null then contact_id
            else {{ set_aside_key('contact_id', ['email_given', 'marketing_consent_at']) }}
        end as source_key,
        email,
        email_given,
        contact_id,
        case when {{ is_blanked('has_marketing_consent') }} then false else has_marketing_consent end as is_yes,
        'crm' as recorded_by,
        case when {{ is_blanked('marketing_consent_at') }} then {{ unreadable_date() }} else marketing_consent_at end as occurred_at,
        reject_reason
    from {{ ref('base_crm__contacts') }}
),

checkboxes as (
    {{ union_by_name(
        {'shop_checkboxes': ['contact_id'], 'crm_checkboxes': ['shop_customer_id']},
        columns=[
            'source_system', 'source_key', 'email', 'email_given', 'shop_customer_id', 'contact_id', 'is_yes', 'recorded_by', 'occurred_at',
            'reject_reason'
        ]
    ) }}
),

answers as (
    select distinct
        source_system,
        source_key,
        email,
        email_given,
        shop_customer_id,
        contact_id,
        'email' as channel,
        'marketing_email' as purpose,
        case
            when is_yes is null then '{{ not_said() }}'
            when is_yes then 'granted'
            else 'denied'
        end as consent_status,
        'express' as lawful_basis,
        recorded_by,
        occurred_at
    from checkboxes
    where reject_reason is null or is_yes = false
),

-- An opt-in ends when its row is deleted or becomes unreadable.
silenced_rows as (
    {% for source_system, base, key in [
        ('shop', ref('base_shop__customers'), 'customer_id'), ('crm', ref('base_crm__contacts'), 'contact_id')
    ] -%}
    select
        '{{ source_system }}' as source_system,
        marked.{{ key }} as source_key,
        'email' as channel,
        'marketing_email' as purpose,
        '{{ not_said() }}' as consent_status
    from {{ marked_keys(base, key) }} as marked
    left join {{ base }} as kept_rows on marked.{{ key }} = kept_rows.{{ key }} and kept_rows.reject_reason is null
    where marked.{{ key }} is not null and kept_rows.{{ key }} is null
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

{{ union_by_name(
    {
        'answers': [],
        'silenced_rows': [
            'email', 'email_given', 'shop_customer_id', 'contact_id', 'lawful_basis', 'recorded_by', 'occurred_at'
        ]
    },
    columns=[
        'source_system', 'source_key', 'email', 'email_given', 'shop_customer_id', 'contact_id', 'channel', 'purpose',
        'consent_status', 'lawful_basis', 'recorded_by', 'occurred_at'
    ],
    types={'occurred_at': 'timestamp'}
) }}
