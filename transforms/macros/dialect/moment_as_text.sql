{#- A UTC moment as RFC 3339 text with all its digits, the same in every warehouse. -#}
{% macro moment_as_text(column) -%}
    {{ return(adapter.dispatch('moment_as_text')(column)) }}
{%- endmacro %}

{% macro default__moment_as_text(column) -%}
    {{ no_body('moment_as_text') }}
{%- endmacro %}

{% macro duckdb__moment_as_text(column) -%}
    strftime({{ column }}, '%Y-%m-%dT%H:%M:%S.%fZ')
{%- endmacro %}

{% macro postgres__moment_as_text(column) -%}
    to_char({{ column }}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
{%- endmacro %}
