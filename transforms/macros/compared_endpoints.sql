{#- The endpoints whose days are compared with what they were: key, columns, and the column of cents. Tools that only read
    the SQL have no variable, and get one that reads as well. -#}
{% macro compared_endpoints() -%}
    {{ return(var('compared_endpoints', {'artifacts': {'key': ['artifact_type'], 'columns': ['artifact_type']}})) }}
{%- endmacro %}

{#- Columns of messages in the raw rows of people. -#}
{% macro message_columns() -%}
    {{ return([
        'chat_metrics__message_count', 'chat_cowork_unified_metrics__chat__message_count',
        'chat_cowork_unified_metrics__sessions__message_count', 'cowork_metrics__message_count',
        'design_metrics__message_count', 'office_metrics__excel__message_count', 'office_metrics__outlook__message_count',
        'office_metrics__powerpoint__message_count', 'office_metrics__word__message_count',
        'science_metrics__message_count', 'claude_tag_metrics__active_message_count',
    ]) }}
{%- endmacro %}

{% macro message_sum() -%}
    coalesce({{ message_columns() | join(', 0) + coalesce(') }}, 0)
{%- endmacro %}

{#- Whether a raw row of a person is of one who was active that day, as int_user_days has it. -#}
{% macro was_active() -%}
    {{ (message_columns() + [
        'claude_code_metrics__core_metrics__distinct_session_count', 'cowork_metrics__distinct_session_count',
        'chat_cowork_unified_metrics__sessions__distinct_session_count',
    ]) | join(' > 0 or ') }} > 0
{%- endmacro %}
