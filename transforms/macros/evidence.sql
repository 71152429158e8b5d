{#- The cells of a row of access_evidence after its number, in the order in which they are hashed; the export has the
    same ones (pipelines/files/evidence.py). -#}
{% macro evidence_columns() %}
{{ return([
    'event_id', 'event_at_text', 'event_type', 'category', 'actor_type', 'actor_id', 'user_id', 'actor_email', 'target_id',
    'ip_address', 'user_agent', 'organization_id', 'attributes',
]) }}
{% endmacro %}

{#- A row whose hash is taken as text: of each cell its length, a colon and its text, so that no two rows read the same;
    '-' where there is none. -#}
{% macro evidence_text(columns) -%}
    {% for column in columns -%}
        coalesce(cast(length({{ column }}) as {{ dbt.type_string() }}) || ':' || {{ column }}, '-')
        {%- if not loop.last %} || {% endif %}
    {%- endfor %}
{%- endmacro %}
