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
