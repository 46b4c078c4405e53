{#
A customer_id, from the key of the customer's oldest record. It is minted in models/identity and nowhere else.
#}
{% macro mint_customer_id(record_key) -%}
    'c_' || substr({{ dbt.hash(record_key) }}, 1, 16)
{%- endmacro %}


{# The ending of a placeholder number: one digit seven times, or counting up. #}
{% macro placeholder_phone() -%}
    (0{7}|1{7}|2{7}|3{7}|4{7}|5{7}|6{7}|7{7}|8{7}|9{7}|1234567|12345678|123456789|1234567890)$
{%- endmacro %}


{#
The mailbox of an address, without the parts that its domain ignores. It joins records, and an opt-in counts for it (var
`normalise_mailbox_aliases`). domains: mailbox_domains, left joined by the address's domain.
#}
{% macro mailbox_of(email, domains) -%}
    {%- if not var('normalise_mailbox_aliases') -%}{{ return(email) }}{%- endif -%}
    case
        when {{ domains }}.email_domain is null then {{ email }}
        else {{ provider_mailbox(email, domains) }}
    end
{%- endmacro %}


{#
The widest mailbox of an address, regardless of var `normalise_mailbox_aliases`: at a domain that the seed lacks, the part after
a plus is dropped too. An opt-out covers all of it.
#}
{% macro widest_mailbox(email, domains) -%}
    case
        when {{ domains }}.email_domain is not null then {{ provider_mailbox(email, domains) }}
        when {{ email }} like '%_+%@%'
            then {{ dbt.split_part(dbt.split_part(email, "'@'", 1), "'+'", 1) }} || '@' || {{ dbt.split_part(email, "'@'", 2) }}
        else {{ email }}
    end
{%- endmacro %}


{# A mailbox by the rules of its domain in seed mailbox_domains. #}
{% macro provider_mailbox(email, domains) -%}
    {%- set local_part = dbt.split_part(email, "'@'", 1) -%}
    {%- set without_plus_part = dbt.split_part(local_part, "'+'", 1) -%}
    {#- If nothing would be left, nothing is removed: +a@gmail.com and +b@gmail.com are two mailboxes. -#}
    case
        when {{ domains }}.ignores_dots and {{ domains }}.ignores_plus_part
            then coalesce(nullif(replace({{ without_plus_part }}, '.', ''), ''), {{ local_part }})
        when {{ domains }}.ignores_plus_part then coalesce(nullif({{ without_plus_part }}, ''), {{ local_part }})
        else {{ local_part }}
    end || '@' || coalesce({{ domains }}.canonical_domain, {{ domains }}.email_domain)
{%- endmacro %}


{#
A relation with two columns more, mailbox and widest_mailbox of its column email.
#}
{% macro with_mailboxes(relation, email='email') -%}
    (
        select
            addressed.*,
            {{ mailbox_of('addressed.' ~ email, 'domains') }} as mailbox,
            {{ widest_mailbox('addressed.' ~ email, 'domains') }} as widest_mailbox
        from {{ relation }} as addressed
        left join {{ ref('mailbox_domains') }} as domains
            on {{ dbt.split_part('addressed.' ~ email, "'@'", 2) }} = domains.email_domain
    )
{%- endmacro %}
