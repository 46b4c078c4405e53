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
    {%- for source_name, _ in contract_tables() if var(source_name) == 'absent' and source_name not in absent + ['billing', 'deliverability'] -%}
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
