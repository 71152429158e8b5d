{#- In a grouping: the middle value. -#}
{% macro median_of(expression) -%}
    {{ return(adapter.dispatch('median_of')(expression)) }}
{%- endmacro %}

{% macro default__median_of(expression) -%}
    {{ no_body('median_of') }}
{%- endmacro %}

{% macro duckdb__median_of(expression) -%}
    median(cast({{ expression }} as double))
{%- endmacro %}

{% macro postgres__median_of(expression) -%}
    percentile_cont(0.5) within group (order by {{ expression }})
{%- endmacro %}
