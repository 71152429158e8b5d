{#- An integer of at least 38 digits: products of amounts and weights do not fit a bigint. -#}
{% macro exact_integer(expression) -%}
    {{ return(adapter.dispatch('exact_integer')(expression)) }}
{%- endmacro %}

{% macro default__exact_integer(expression) -%}
    {{ no_body('exact_integer') }}
{%- endmacro %}

{% macro duckdb__exact_integer(expression) -%}
    cast({{ expression }} as hugeint)
{%- endmacro %}

{% macro postgres__exact_integer(expression) -%}
    cast({{ expression }} as numeric(38, 0))
{%- endmacro %}
