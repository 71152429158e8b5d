{#- The sources that name people by id and e-mail on a day, the surest of an address first. The activity feed tells what was
    so at the moment, the others what the API knew of the day when it was asked for it. -#}
{% macro sources_by_day() -%}
    {{ return([
        {'source': 'activities', 'seen_at': 'event_at'},
        {'source': 'users'},
        {'source': 'costs', 'name': 'name'},
        {'source': 'user_cost_reports', 'name': 'name'},
        {'source': 'usage', 'name': 'name'},
        {'source': 'user_usage_reports', 'name': 'name'},
        {'source': 'chat_projects', 'user_id': 'created_by_user_id', 'email': 'created_by_email'},
    ]) }}
{%- endmacro %}

{#- The rosters that do, in the same order. -#}
{% macro rosters_of_people() -%}
    {{ return(['members', 'rbac_group_members', 'spend_limits']) }}
{%- endmacro %}

{#- Whether an e-mail is one that a directory gave a person on deletion: 32 hexadecimal digits before their address. -#}
{% macro is_tombstone(email) -%}
    (
        length({{ email }}) > 33
        and substring({{ email }}, 33, 1) <> '@'
        and translate(substring({{ email }}, 1, 32), '0123456789abcdefABCDEF', '') = ''
    )
{%- endmacro %}
