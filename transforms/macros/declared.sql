{#- A list made from what the sources declare (pipelines/warehouse/dbt.py): endpoints, those of money, those of the older
    reports, vendors of assistants. Tools that only read the SQL have none, and get a list of one that reads as well. -#}
{% macro declared(name) -%}
    {{ return(var(name, ['claude'])) }}
{%- endmacro %}
