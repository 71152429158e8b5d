{#- Decimal cents as dollars, decimal(38,8). A product, because DuckDB divides decimals into doubles. -#}
{% macro cents_to_usd(column) -%}
    {{ return(adapter.dispatch('cents_to_usd')(column)) }}
{%- endmacro %}

{% macro default__cents_to_usd(column) -%}
    cast({{ column }} * 0.01 as decimal(38, 8))
{%- endmacro %}

{#- Rounding 128-bit integers takes DuckDB 20 times as long as 64-bit ones, which amounts below a million cents are. -#}
{% macro duckdb__cents_to_usd(column) -%}
    coalesce(
        cast(cast(try_cast({{ column }} as decimal(18, 12)) as decimal(18, 6)) * 0.01 as decimal(38, 8)),
        cast({{ column }} * 0.01 as decimal(38, 8))
    )
{%- endmacro %}
