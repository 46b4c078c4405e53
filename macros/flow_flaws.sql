{# What the entry of a trigger and its flows lacks or has wrong, as the ends of sentences that begin with the trigger's name. #}
{% macro flow_flaws(model) %}
    {%- set entry = model.config.get('meta', {}) -%}
    {%- set subjects = ['customer', 'order', 'cart', 'session', 'product', 'category', 'campaign'] -%}
    {%- set flaws = [] -%}
    {%- if entry.get('subject') not in subjects -%}
        {%- do flaws.append('has subject ' ~ entry.get('subject') ~ ', which is none of ' ~ subjects | join(', ')) -%}
    {%- endif -%}
    {%- if not (entry.get('trigger_hours') is number and entry.trigger_hours > 0) -%}{%- do flaws.append('has no trigger_hours above 0') -%}{%- endif -%}
    {%- for field in entry.get('rests_on') or ['nothing'] if not is_column(field) -%}
        {%- do flaws.append('rests on ' ~ field ~ ', which is no column of a public table') -%}
    {%- endfor -%}
    {%- if not entry.get('flows') -%}{%- do flaws.append('starts no flow') -%}{%- endif -%}
    {%- for name, flow in (entry.get('flows') or {}).items() -%}
        {%- set missing = ['label', 'owner', 'expires_on', 'purpose', 'message_class', 'priority', 'reentry', 'send_at', 'shelf_life_hours', 'receiving_because', 'steps'] | reject('in', flow) | list -%}
        {%- if missing -%}
            {%- do flaws.append('has flow ' ~ name ~ ', which lacks ' ~ missing | join(', ')) -%}
        {%- else -%}
            {%- for flaw in single_flow_flaws(flow, entry) + step_flaws(flow) -%}{%- do flaws.append('has flow ' ~ name ~ ', ' ~ flaw) -%}{%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(flaws) }}
{% endmacro %}


{% macro single_flow_flaws(flow, entry) %}
    {%- set exits = ['ordered', 'subject_ordered', 'order_refunded', 'cart_filled', 'trigger_ended', 'newer_subject', 'ticket_opened'] -%}
    {%- set flaws = [] -%}
    {%- for exit in flow.get('exits') or [] if exit not in exits -%}
        {%- do flaws.append('with exit ' ~ exit ~ ', which is none of ' ~ exits | join(', ')) -%}
    {%- endfor -%}
    {%- if flow.message_class not in message_classes() -%}{%- do flaws.append('with the unknown message class ' ~ flow.message_class) -%}{%- endif -%}
    {%- if not (flow.priority is number and 1 <= flow.priority <= 99) -%}
        {%- do flaws.append('with priority ' ~ flow.priority ~ ', which is not 1 to 99') -%}
    {%- elif (flow.priority < 10) != (flow.message_class == 'transactional') -%}
        {%- do flaws.append('with priority ' ~ flow.priority ~ ' and class ' ~ flow.message_class ~ ': 1 to 9 are for transactional mail') -%}
    {%- endif -%}
    {%- if flow.reentry not in ('once', 'per_subject') and not (flow.reentry is number and flow.reentry > 0) -%}
        {%- do flaws.append('with reentry ' ~ flow.reentry ~ ', which is not once, per_subject or a number of days') -%}
    {%- endif -%}
    {%- if flow.send_at not in ('once', 'own_hour') -%}{%- do flaws.append('with send_at ' ~ flow.send_at ~ ', which is not once or own_hour') -%}{%- endif -%}
    {%- if not (flow.shelf_life_hours is number and flow.shelf_life_hours > 0) -%}{%- do flaws.append('with no shelf_life_hours above 0') -%}{%- endif -%}
    {%- set cap = flow.get('cap', {'messages': 1, 'days': 1}) -%}
    {%- if cap is not mapping or cap | list | sort != ['days', 'messages'] or not (cap.messages is number and cap.days is number and cap.messages > 0 and cap.days > 0) -%}
        {%- do flaws.append('with cap ' ~ cap ~ ', which is not {messages: above 0, days: above 0}') -%}
    {%- elif 'cap' in flow and flow.message_class == 'transactional' -%}
        {%- do flaws.append('with a cap, and nothing holds transactional mail back') -%}
    {%- endif -%}
    {%- set share = flow.get('holdout_share', 0) -%}
    {%- if not (share is number and 0 <= share < 1) -%}{%- do flaws.append('with holdout_share ' ~ share ~ ', which is not 0 to below 1') -%}{%- endif -%}
    {%- if not (flow.receiving_because.startswith('You are receiving this because ') and flow.receiving_because.endswith('.')) -%}
        {%- do flaws.append('without a sentence in receiving_because: You are receiving this because ….') -%}
    {%- endif -%}
    {%- set hours = flow.steps | map(attribute='hours') | select('number') | sum + (flow.shelf_life_hours if flow.shelf_life_hours is number else 0) -%}
    {%- if 'trigger_ended' in (flow.get('exits') or []) and hours > (entry.get('trigger_hours') or 0) -%}
        {%- do flaws.append('with exit trigger_ended and ' ~ hours ~ ' hours to its end, more than trigger_hours: it would end early') -%}
    {%- endif -%}
    {{ return(flaws) }}
{% endmacro %}


{% macro step_flaws(flow) %}
    {%- set flaws = [] -%}
    {%- set earlier_steps = ['trigger'] -%}
    {%- for step in flow.steps -%}
        {%- set name = 'with step ' ~ (step.get('step') or loop.index) -%}
        {%- if not step.get('step') or step.step in earlier_steps -%}{%- do flaws.append(name ~ ', which has no name of its own') -%}{%- endif -%}
        {%- if step.get('after') not in earlier_steps -%}
            {%- do flaws.append(name ~ ' after ' ~ step.get('after') ~ ', which is neither trigger nor an earlier step') -%}
        {%- endif -%}
        {%- if not (step.get('hours') is number and step.hours >= 0) -%}{%- do flaws.append(name ~ ', which has no hours') -%}{%- endif -%}
        {%- if step.get('offer', false) not in (true, false) -%}{%- do flaws.append(name ~ ' with offer ' ~ step.offer ~ ', which is not true or false') -%}{%- endif -%}
        {%- if step.get('offer') and loop.first and flow.get('is_abandon') -%}
            {%- do flaws.append(name ~ ', which has an offer: an offer in the first reminder teaches customers to leave carts') -%}
        {%- endif -%}
        {%- if not step.get('slot') -%}{%- do flaws.append(name ~ ', which has no slot of content') -%}{%- endif -%}
        {%- for column, checks in (step.get('only_if') or {}).items() -%}
            {%- if not is_column('customers.' ~ column) -%}{%- do flaws.append(name ~ ' only_if ' ~ column ~ ', which is no column of customers') -%}{%- endif -%}
            {%- for check in checks if check not in ('is', 'is_not', 'at_least', 'at_most') -%}
                {%- do flaws.append(name ~ ' only_if ' ~ column ~ ' ' ~ check ~ ', which is not is, is_not, at_least or at_most') -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- do earlier_steps.append(step.get('step')) -%}
    {%- endfor -%}
    {{ return(flaws) }}
{% endmacro %}


{# Whether <model>.<column> is a column of a public table. #}
{% macro is_column(field) %}
    {%- set parts = field.split('.') -%}
    {%- set node = graph.nodes.get('model.mailroom.' ~ parts[0]) -%}
    {{ return(parts | length == 2 and node is not none and node.config.get('access') == 'public' and parts[1] in node.columns) }}
{% endmacro %}


{# Flow names that two triggers have, and caps that no message fits under. #}
{% macro flow_limit_flaws() %}
    {%- set flaws, names = [], [] -%}
    {%- for flow in flow_entries() -%}
        {%- if flow.flow in names -%}{%- do flaws.append('flow ' ~ flow.flow ~ ' is in the entries of two triggers') -%}{%- endif -%}
        {%- do names.append(flow.flow) -%}
    {%- endfor -%}
    {%- for name in ['weekly_caps', 'stated_weekly_caps'] -%}
        {%- for group, cap in var(name).items() if not (cap is number and cap > 0) -%}
            {%- do flaws.append('var ' ~ name ~ ' has ' ~ group ~ ': ' ~ cap ~ ', and a cap is above 0. To mail them nothing, use a suppression rule') -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(flaws) }}
{% endmacro %}
