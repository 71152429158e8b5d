{#- Whole days from one date to a later one. -#}
{% macro days_from(first, last) -%}
    {{ return(adapter.dispatch('days_from')(first, last)) }}
{%- endmacro %}

{% macro default__days_from(first, last) -%}
    {{ no_body('days_from') }}
{%- endmacro %}

{% macro duckdb__days_from(first, last) -%}
    ({{ last }} - {{ first }})
{%- endmacro %}

{% macro postgres__days_from(first, last) -%}
    ({{ last }} - {{ first }})
{%- endmacro %}
