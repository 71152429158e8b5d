{#- Splits of money count in whole units of 0.00000001 USD, so that no digit is lost. -#}
{% macro usd_to_units(column) -%}
    {{ exact_integer(column ~ ' * 100000000') }}
{%- endmacro %}

{% macro units_to_usd(column) -%}
    cast(cast({{ column }} as decimal(38, 0)) * 0.00000001 as decimal(38, 8))
{%- endmacro %}

{#- An integer of at least 38 digits: products of amounts and weights do not fit a bigint. -#}
{% macro exact_integer(expression) -%}
    {{ return(adapter.dispatch('exact_integer')(expression)) }}
{%- endmacro %}

{% macro default__exact_integer(expression) -%}
    cast({{ expression }} as numeric(38, 0))
{%- endmacro %}

{% macro duckdb__exact_integer(expression) -%}
    cast({{ expression }} as hugeint)
{%- endmacro %}

{#- Whole part of a division of two exact, non-negative integers. -#}
{% macro quotient(dividend, divisor) -%}
    {{ return(adapter.dispatch('quotient')(dividend, divisor)) }}
{%- endmacro %}

{% macro default__quotient(dividend, divisor) -%}
    div({{ dividend }}, {{ divisor }})
{%- endmacro %}

{% macro duckdb__quotient(dividend, divisor) -%}
    (({{ dividend }}) // ({{ divisor }}))
{%- endmacro %}

{#- Parts of a unit in which seat fees are shared. Fees of 200 million USD a month still split within 38 digits. -#}
{% macro fee_parts_per_unit() -%}
    10000
{%- endmacro %}
