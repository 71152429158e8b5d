{#- A type of doubles. Not dbt's own, which is one of single precision on some engines. -#}
{% macro float_type() -%}
    {{ return(adapter.dispatch('float_type')()) }}
{%- endmacro %}

{% macro default__float_type() -%}
    {{ no_body('float_type') }}
{%- endmacro %}

{% macro duckdb__float_type() -%}
    double
{%- endmacro %}

{% macro postgres__float_type() -%}
    double precision
{%- endmacro %}
