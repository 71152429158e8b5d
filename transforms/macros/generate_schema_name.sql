{#- Our schemas are called claude_staging and claude_marts everywhere, without dbt's prefix; where readers have theirs on
    the same server, the marts are built in another one. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name == 'claude_staging' -%}
        {{ env_var('CLAUDE_WAREHOUSE_STAGING_SCHEMA', 'claude_staging') }}
    {%- elif custom_schema_name == 'claude_marts' -%}
        {{ env_var('CLAUDE_WAREHOUSE_MARTS_SCHEMA', 'claude_marts') }}
    {%- else -%}
        {{ custom_schema_name or target.schema }}
    {%- endif -%}
{%- endmacro %}
