{#- Our schemas are called claude_staging and claude_marts everywhere, without dbt's prefix. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
