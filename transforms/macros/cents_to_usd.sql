{#- Decimal cents as dollars, decimal(38,8). A product, because DuckDB divides decimals into doubles. -#}
{% macro cents_to_usd(column) -%}
    cast({{ column }} * 0.01 as decimal(38, 8))
{%- endmacro %}
