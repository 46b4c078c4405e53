{#
Summarise a build in ten lines at most. The lines are printed at the end of the build. If it built source_reconciliation, they
are also kept in table build_summary (line_number, sentence, built_at) for mailroom show. A line appears only if this run built
its tables. Row keys and values that people typed are not shown.
#}
{% macro sum_up(results) %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set built = {} -%}
        {%- for result in results if result.node is not none and result.status == 'success' and result.node.unique_id.startswith('model.mailroom.') -%}
            {%- do built.update({result.node.name: result.node.relation_name}) -%}
        {%- endfor -%}
        {%- set lines = (
            summary_of_rows(built) + summary_of_orders(built) + summary_of_flaws(built) + summary_of_words(built)
            + summary_of_customers(built) + summary_of_segments(built) + summary_of_signals(built) + summary_of_audiences(built)
        ) -%}
        {%- if lines -%}
            {%- set tables_to_check = [] -%}
            {%- for line in lines if line.to_check -%}{%- do tables_to_check.extend(line.to_check) -%}{%- endfor -%}
            {%- if tables_to_check -%}
                {%- do lines.append({'text': 'Next: check ' ~ tables_to_check | unique | join(', ') ~ ', e.g. mailroom sql "select * from ' ~ tables_to_check[0] ~ '"'}) -%}
            {%- endif -%}
            {%- if 'source_reconciliation' in built -%}{%- do keep_summary(lines) -%}{%- endif -%}
            {%- do log('', info=true) -%}
            {%- for line in lines -%}{%- do log(line.text, info=true) -%}{%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{# Replace table build_summary. #}
{% macro keep_summary(lines) %}
    {%- set table = target.schema ~ '.build_summary' -%}
    {%- set rows = [] -%}
    {%- for line in lines -%}
        {%- do rows.append(
            'select ' ~ loop.index ~ ' as line_number, ' ~ dbt.string_literal(dbt.escape_single_quotes(line.text)) ~ ' as sentence, ' ~ as_of() ~ ' as built_at'
        ) -%}
    {%- endfor -%}
    {%- do run_query('drop table if exists ' ~ table) -%}
    {%- do run_query('create table ' ~ table ~ ' as ' ~ rows | join(' union all ')) -%}
{% endmacro %}


{# The rows of a query, each a mapping of its columns. No rows if this run did not build the tables. #}
{% macro built_rows(built, tables, query) %}
    {%- for table in tables if table not in built -%}{{ return([]) }}{%- endfor -%}
    {%- set rows = [] -%}
    {%- set found = run_query(query) -%}
    {%- for row in found.rows -%}
        {%- set values = {} -%}
        {%- for name in found.column_names -%}{%- do values.update({name | lower: row[loop.index0]}) -%}{%- endfor -%}
        {%- do rows.append(values) -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}


{# A whole number with commas, and its noun: 1 row, 30,864 rows. dbt 2.0 has no '{:,}'.format(). #}
{% macro count_text(n, thing=none, things=none) %}
    {%- set number = n | int | string | reverse | batch(3) | map('join') | join(',') | reverse -%}
    {{ return(number if thing is none else number ~ ' ' ~ (thing if n | int == 1 else things or thing ~ 's')) }}
{% endmacro %}


{# A share as text: 94.0%. Anything under 1 stays below 100.0%. #}
{% macro percentage_text(share) %}
    {{ return(('%.1f' | format([((1000 * (share | float) + 0.5) | int) / 10, 100 if (share | float) >= 1 else 99.9] | min)) ~ '%') }}
{% endmacro %}


{% macro summary_of_rows(built) %}
    {%- set counts = built_rows(built, ['source_reconciliation'], "
        select
            outcome, sum(n_rows) as n_rows, count(distinct source_name || '.' || table_name) as n_tables,
            sum(case when reason = 'of an erased person' then n_rows else 0 end) as n_erased
        from " ~ built.source_reconciliation ~ " where n_rows > 0 group by outcome
    ") -%}
    {%- if 'source_reconciliation' not in built -%}{{ return([]) }}{%- endif -%}
    {%- set n = {'in': 0, 'kept': 0} -%}
    {%- for row in counts -%}{%- do n.update({row.outcome: row.n_rows | int}) -%}{%- endfor -%}
    {%- set tables = (counts | selectattr('outcome', 'equalto', 'in') | map(attribute='n_tables') | list) or [0] -%}
    {%- set erased = counts | map(attribute='n_erased') | map('int') | sum -%}
    {%- set absent = [] -%}
    {%- for source_name, _ in contract_tables() if var(source_name) == 'absent' and source_name not in absent + ['billing'] -%}
        {%- do absent.append(source_name) -%}
    {%- endfor -%}
    {{ return([{'text':
        'Rows: ' ~ count_text(n['in']) ~ ' read from ' ~ count_text(tables[0], 'table') ~ ', '
        ~ count_text(n['kept']) ~ ' kept' ~ ('' if not n['in'] else ' (' ~ percentage_text(n['kept'] / n['in']) ~ ')')
        ~ (', ' ~ count_text(erased) ~ ' of erased people' if erased else '') ~ '.'
        ~ (' Absent sources: ' ~ absent | join(', ') ~ '.' if absent else '')
    }]) }}
{% endmacro %}


{% macro summary_of_orders(built) %}
    {%- set counts = built_rows(built, ['source_reconciliation'], "
        select
            coalesce(sum(case when outcome = 'in' then n_rows end), 0) as n_in,
            coalesce(sum(case when outcome = 'kept' then n_rows end), 0) as n_kept, coalesce(sum(case when outcome = 'kept' then amount end), 0) as amount_kept
        from " ~ built.source_reconciliation ~ " where source_name = 'shop' and table_name = 'orders'
    ") -%}
    {%- if not counts or not counts[0].n_in -%}{{ return([]) }}{%- endif -%}
    {%- set row = counts[0] -%}
    {%- set amount = ('%.2f' | format((row.amount_kept or 0) | string | float)).split('.') -%}
    {%- set parts, to_check = [], [] -%}
    {%- for unrated in built_rows(built, ['unrated_currencies'], 'select currency, n_orders from ' ~ built.unrated_currencies ~ ' order by n_orders desc, currency limit 3') -%}
        {%- do parts.append(count_text(unrated.n_orders) ~ ' in ' ~ unrated.currency ~ ' without an exchange rate') -%}
        {%- do to_check.append('unrated_currencies') -%}
    {%- endfor -%}
    {%- for issues in built_rows(built, ['order_issues'], 'select count(distinct order_id) as n_orders from ' ~ built.order_issues) if issues.n_orders -%}
        {%- do parts.append(count_text(issues.n_orders) ~ ' with amounts to check') -%}
        {%- do to_check.append('order_issues') -%}
    {%- endfor -%}
    {{ return([{
        'text':
            'Orders: ' ~ count_text(row.n_in) ~ ' read, ' ~ ('all' if row.n_in == row.n_kept else count_text(row.n_kept)) ~ ' kept ('
            ~ count_text(amount[0]) ~ '.' ~ amount[1] ~ ' ' ~ var('currency') ~ ')' ~ (', ' ~ parts | join(', ') if parts else '') ~ '.',
        'to_check': to_check
    }]) }}
{% endmacro %}


{% macro summary_of_flaws(built) %}
    {%- set lines = [] -%}
    {%- for outcome, label in [('set aside', 'Rejected'), ('blanked', 'Blanked')] -%}
        {%- set flaws = built_rows(built, ['source_flaws'], "
            select source_name || '.' || table_name as place, reason, n_rows, sum(n_rows) over () as n_all, count(*) over () as n_reasons
            from " ~ built.source_flaws ~ " where outcome = '" ~ outcome ~ "' order by n_rows desc, source_name, table_name, reason limit 3
        ") -%}
        {%- set parts = [] -%}
        {%- for flaw in flaws -%}{%- do parts.append(count_text(flaw.n_rows) ~ ' in ' ~ flaw.place ~ ' (' ~ flaw.reason ~ ')') -%}{%- endfor -%}
        {%- if parts -%}
            {%- do lines.append({
                'text': label ~ ': ' ~ count_text(flaws[0].n_all, 'row' if outcome == 'set aside' else 'value')
                    ~ (', mostly ' if flaws[0].n_reasons > 3 else ': ') ~ parts | join(', ') ~ '.',
                'to_check': ['source_flaws']
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lines) }}
{% endmacro %}


{% macro summary_of_words(built) %}
    {%- set parts, to_check = [], [] -%}
    {%- for row in built_rows(built, ['unmapped_spellings'], "
        select
            kind, count(*) as n_spellings, sum(n_rows) as n_rows,
            sum(case when stands_for is null then n_rows else 0 end) as n_without
        from " ~ built.unmapped_spellings ~ " where used_in <> 'web events' group by kind order by kind
    ") -%}
        {%- if row.kind == 'category' -%}
            {%- do parts.append(
                count_text(row.n_spellings, 'category spelling') ~ ' (' ~ count_text(row.n_rows, 'product')
                ~ (', ' ~ count_text(row.n_without) ~ ' without a category' if row.n_without else '') ~ ')'
            ) -%}
        {%- else -%}
            {%- do parts.append(count_text(row.n_spellings, 'country spelling') ~ ' (' ~ count_text(row.n_rows, 'row') ~ ')') -%}
        {%- endif -%}
        {%- do to_check.append('unmapped_spellings') -%}
    {%- endfor -%}
    {%- for row in built_rows(built, ['unmapped_words'], "
        select count(*) as n_words, sum(n_rows) as n_rows from " ~ built.unmapped_words
    ) if row.n_words -%}
        {%- do parts.append(count_text(row.n_words, 'word for a status, stage or event', 'words for a status, stage or event') ~ ' (' ~ count_text(row.n_rows, 'row') ~ ')') -%}
        {%- do to_check.append('unmapped_words') -%}
    {%- endfor -%}
    {%- if not parts -%}{{ return([]) }}{%- endif -%}
    {{ return([{'text': 'Unmapped: ' ~ parts | join(', ') ~ '.', 'to_check': to_check}]) }}
{% endmacro %}


{% macro summary_of_customers(built) %}
    {%- for row in built_rows(built, ['customers', 'contactability'], "
        select
            count(*) as n_customers, count(case when n_orders > 0 then 1 end) as n_buyers,
            (select count(*) from " ~ built.contactability ~ " where message_class = 'promotional' and is_allowed) as n_allowed
        from " ~ built.customers
    ) -%}
        {{ return([{'text':
            'Customers: ' ~ count_text(row.n_customers) ~ ' in total, ' ~ count_text(row.n_buyers) ~ ' with an order, '
            ~ count_text(row.n_allowed) ~ ' may get promotional mail.',
            'to_check': ['suppression_funnel'] if row.n_customers and not row.n_allowed else []
        }]) }}
    {%- endfor -%}
    {{ return([]) }}
{% endmacro %}


{% macro summary_of_segments(built) %}
    {%- set segments = built_rows(built, ['segment_health'], "
        select segment, n_members, share_of_customers, max_expected_share, share_beyond_expected, problem like 'Rests on %' as is_unfounded
        from " ~ built.segment_health ~ " order by share_of_customers desc, segment
    ") -%}
    {%- if not segments -%}{{ return([]) }}{%- endif -%}
    {%- set unfounded, empty, large = [], [], [] -%}
    {%- for row in segments -%}
        {%- if row.is_unfounded -%}
            {%- do unfounded.append(row.segment) -%}
        {%- elif not row.n_members -%}
            {%- do empty.append(row.segment) -%}
        {%- elif (row.share_beyond_expected or 0) > 0 -%}
            {%- do large.append(row.segment ~ ' (' ~ percentage_text(row.share_of_customers) ~ ' of customers, at most ' ~ percentage_text(row.max_expected_share) ~ ' expected)') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return([{'text':
        'Segments: ' ~ segments | length
        ~ (', ' ~ unfounded | length ~ ' based on sparse or stale fields' if unfounded else '') ~ '.'
        ~ (' Without members: ' ~ first_names(empty) ~ '.' if empty else '')
        ~ (' Larger than expected: ' ~ first_names(large) ~ '.' if large else ''),
        'to_check': ['segment_health'] if unfounded or empty or large else []
    }]) }}
{% endmacro %}


{# The first three names of a list, and the number of the others. #}
{% macro first_names(names) %}
    {{ return(names[:3] | join(', ') ~ (' and ' ~ (names | length - 3) ~ ' more' if names | length > 3 else '')) }}
{% endmacro %}


{% macro summary_of_signals(built) %}
    {%- set unfit = built_rows(built, ['signal_readiness', 'field_dictionary'], "
        select readiness.model_name || '.' || readiness.column_name as field, count(*) over () as n_unfit
        from " ~ built.signal_readiness ~ " as readiness
        inner join " ~ built.field_dictionary ~ " as dictionary
            on readiness.model_name = dictionary.model_name and readiness.column_name = dictionary.column_name
        where
            not readiness.may_carry_segment and readiness.usable_share is not null
            and (dictionary.not_given is null or dictionary.given_by is not null)
        order by readiness.model_name, readiness.column_name limit 3
    ") -%}
    {%- if not unfit -%}{{ return([]) }}{%- endif -%}
    {{ return([{'text':
        'Fields unfit for segments: ' ~ count_text(unfit[0].n_unfit)
        ~ (', such as ' if unfit[0].n_unfit > 3 else ': ') ~ unfit | map(attribute='field') | join(', ') ~ '.',
        'to_check': ['signal_readiness']
    }]) }}
{% endmacro %}


{% macro summary_of_audiences(built) %}
    {%- for row in built_rows(built, ['audience_members', 'audience_catalog', 'sync_guards'], "
        select
            (select count(distinct audience) from " ~ built.audience_catalog ~ ") as n_audiences,
            (select count(*) from " ~ built.audience_members ~ ") as n_members,
            (select count(distinct destination || ' ' || audience) from " ~ built.sync_guards ~ ") as n_stopped
    ") -%}
        {{ return([{'text':
            'Audiences: ' ~ row.n_audiences ~ ' with ' ~ count_text(row.n_members, 'member') ~ ' in total'
            ~ (', ' ~ row.n_stopped ~ ' stopped by a guard' if row.n_stopped else '') ~ '.',
            'to_check': ['sync_guards'] if row.n_stopped else []
        }]) }}
    {%- endfor -%}
    {{ return([]) }}
{% endmacro %}
