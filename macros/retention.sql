{#
    dbt run-operation purge_erased

Deletes the rows of erased persons from the ledgers. This cannot be undone. docs/privacy.md says when to run it.
#}
{% macro purge_erased() %}
    {%- set salt = 'cross join ' ~ ref('erasure_salt') ~ ' as salt' -%}
    {%- set erased = 'inner join ' ~ ref('erased_identifiers') ~ ' as erased on erased.identifier_hash = ' -%}
    {%- set erased_events -%}
        consent_event_id in (
            {% for column in ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] -%}
            select events.consent_event_id from {{ ref('consent_ledger') }} as events {{ salt }}
            {{ erased }} {{ named_hash(column, 'events.' ~ column) }}
            union
            {% endfor -%}
            {% for column in ['email', 'email_then'] -%}
            select events.consent_event_id from {{ with_mailboxes(ref('consent_ledger'), email=column) }} as events {{ salt }}
            {{ erased }} {{ mailbox_hash('events.mailbox') }}
            union
            {% endfor -%}
            select events.consent_event_id from {{ ref('consent_ledger') }} as events {{ salt }}
            {{ erased }} {{ named_hash('email', 'events.email_then') }}
        )
        -- Events that also concern other customers stay.
        and consent_event_id not in (select consent_event_id from {{ ref('consent_history') }})
    {%- endset -%}
    {%- set keys -%}
        record_key in (
            select log.record_key from {{ ref('customer_key_log') }} as log {{ salt }}
            {{ erased }} {{ identifier_hash("'record'", 'log.record_key') }}
        )
        and record_key not in (select record_key from {{ ref('customer_keys') }})
    {%- endset -%}
    {%- set points -%}
        record_key in (
            select points.record_key from {{ ref('contact_points') }} as points {{ salt }}
            {{ erased }} {{ identifier_hash("'record'", 'points.record_key') }}
        )
        and record_key not in (select record_key from {{ ref('customer_keys') }})
    {%- endset -%}
    {%- set erased_customers = "customer_id in (select old_customer_id from " ~ ref('customer_id_changes') ~ " where change_type = 'erasure')" -%}
    {%- for ledger in ['segment_changes', 'audience_changes', 'enrolment_changes', 'message_decisions', 'experiment_assignments'] -%}
        {%- do purge(ref(ledger), erased_customers) -%}
    {%- endfor -%}
    {%- do purge(ref('consent_ledger'), erased_events) -%}
    {%- do purge(ref('customer_key_log'), keys) -%}
    {%- do purge(ref('contact_points'), points) -%}
{% endmacro %}


{#
    dbt run-operation retain                              lists rows older than the seed retention allows
    dbt run-operation retain --args '{delete: true}'      and deletes them from Mailroom's own ledgers

Source tables do not belong to Mailroom. For them it prints the statement that their owner may run.
#}
{% macro retain(delete=false) %}
    {%- for row in run_query('select * from ' ~ ref('retention') ~ ' order by source_name, table_name').rows -%}
        {%- set cut_off = date_add('day', -row['keep_days'], as_of()) | trim -%}
        {%- set table = row['source_name'] ~ '.' ~ row['table_name'] -%}
        {%- if row['source_name'] == 'mailroom' -%}
            {%- set relation = ref(row['table_name']) -%}
            {%- set condition = expired_condition(row['table_name'], cut_off) -%}
        {%- else -%}
            {%- set relation = raw_place(row['source_name'], row['table_name']).relation -%}
            {%- set dated_by = event_time(row['source_name'], row['table_name']) -%}
            {%- set base = builtins.ref('base_' ~ row['source_name'] ~ '__' ~ row['table_name']) -%}
            {%- set condition = dated_by ~ ' < ' ~ cut_off -%}
        {%- endif -%}
        {%- set n_rows = count_where(base or relation, condition) -%}
        {%- do log(table ~ ': ' ~ n_rows ~ ' rows are older than ' ~ row['keep_days'] ~ ' days (' ~ row['why'] ~ ')', info=true) -%}
        {%- if row['source_name'] != 'mailroom' and n_rows > 0 -%}
            {%- do log('    its owner may run: delete from ' ~ relation ~ ' where ' ~ condition, info=true) -%}
        {%- elif delete and n_rows > 0 -%}
            {%- do purge(relation, condition) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{#
The condition for ledger rows that need not be kept. Opt-outs stay, because their address may still exist. So do the opt-in that
decides today and the newest id of a record.
#}
{% macro expired_condition(ledger, cut_off) %}
    {%- if ledger == 'consent_ledger' -%}
        {{ return(
            "recorded_at < " ~ cut_off ~ " and coalesce(occurred_at, recorded_at) < " ~ cut_off
            ~ " and consent_status in ('granted', 'pending') and consent_event_id not in (select deciding_event_id from "
            ~ ref('consents') ~ " where deciding_event_id is not null)"
        ) }}
    {%- elif ledger == 'customer_key_log' -%}
        {{ return(
            "changed_at < " ~ cut_off ~ " and exists (select 1 from " ~ ref('customer_key_log')
            ~ " as newer where newer.record_key = " ~ ref('customer_key_log') ~ ".record_key and newer.log_number > "
            ~ ref('customer_key_log') ~ ".log_number and newer.changed_at < " ~ cut_off ~ ")"
        ) }}
    {%- endif -%}
    {{ exceptions.raise_compiler_error("seed retention: mailroom." ~ ledger ~ " has no retention rule. Use consent_ledger or customer_key_log.") }}
{% endmacro %}


{# The column of a contract table with the time of the event. #}
{% macro event_time(source_name, table_name) %}
    {%- for column in contract_columns(source_name, table_name) if column.meta.event_time -%}{{ return(column.name) }}{%- endfor -%}
    {{ exceptions.raise_compiler_error("seed retention: " ~ source_name ~ "." ~ table_name ~ " has no column with event_time in the contract. Remove its row.") }}
{% endmacro %}


{% macro count_where(relation, condition) %}
    {{ return(run_query('select count(*) from ' ~ relation ~ ' where ' ~ condition).rows[0][0] | int) }}
{% endmacro %}


{% macro purge(relation, condition) %}
    {%- set n_rows = count_where(relation, condition) if load_relation(relation) else 0 -%}
    {%- if n_rows > 0 -%}{%- do delete_rows(relation, condition) -%}{%- endif -%}
    {%- do log(relation.identifier ~ ': ' ~ n_rows ~ ' rows deleted', info=true) -%}
{% endmacro %}
