{#- The cells of a row of access_evidence after its number, in the order in which they are hashed; the export has the
    same ones (pipelines/evidence.py). -#}
{% macro evidence_columns() %}
{{ return([
    'event_id', 'event_at_text', 'event_type', 'category', 'actor_type', 'actor_id', 'user_id', 'actor_email', 'target_id',
    'ip_address', 'user_agent', 'organization_id', 'attributes',
]) }}
{% endmacro %}

{#- A UTC moment as RFC 3339 text with all its digits, the same in every warehouse. -#}
{% macro moment_as_text(column) -%}
    {{ return(adapter.dispatch('moment_as_text')(column)) }}
{%- endmacro %}

{% macro default__moment_as_text(column) -%}
    to_char({{ column }}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
{%- endmacro %}

{% macro duckdb__moment_as_text(column) -%}
    strftime({{ column }}, '%Y-%m-%dT%H:%M:%S.%fZ')
{%- endmacro %}

{#- A row whose hash is taken as text: of each cell its length, a colon and its text, so that no two rows read the same;
    '-' where there is none. -#}
{% macro evidence_text(columns) -%}
    {% for column in columns -%}
        coalesce(cast(length({{ column }}) as {{ dbt.type_string() }}) || ':' || {{ column }}, '-')
        {%- if not loop.last %} || {% endif %}
    {%- endfor %}
{%- endmacro %}
