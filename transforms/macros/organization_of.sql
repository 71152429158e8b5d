{#- Whose a row is: a child's of whose cost the parent's key told, else that of the key; without either, the first one's.
    `organization` is to be a relation of one row. -#}
{% macro organization_of(rows) -%}
    coalesce({{ rows }}.child_organization_id, {{ rows }}.organization_id, organization.organization_id)
{%- endmacro %}
