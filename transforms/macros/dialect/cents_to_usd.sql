{#- Decimal cents as dollars, decimal(38,8). A product, because engines divide decimals into doubles or cut them. -#}
{% macro cents_to_usd(column) -%}
    {{ return(adapter.dispatch('cents_to_usd')(column)) }}
{%- endmacro %}

{% macro default__cents_to_usd(column) -%}
    {{ no_body('cents_to_usd') }}
{%- endmacro %}

{#- Rounding 128-bit integers takes DuckDB 20 times as long as 64-bit ones, which amounts below a million cents are. -#}
{% macro duckdb__cents_to_usd(column) -%}
    coalesce(
        cast(
            cast(try_cast({{ column }} as decimal(18, 12)) as decimal(18, 6))
            * cast('0.01' as decimal(2, 2)) as decimal(38, 8)
        ),
        cast({{ column }} * cast('0.01' as decimal(2, 2)) as decimal(38, 8))
    )
{%- endmacro %}

{% macro postgres__cents_to_usd(column) -%}
    cast({{ column }} * cast('0.01' as decimal(2, 2)) as decimal(38, 8))
{%- endmacro %}
