{#- Every product says its precision and scale, 38 digits together: engines that are left to choose cut digits off.
    Splits of money count in whole units of 0.00000001 USD, so that no digit is lost. -#}
{% macro usd_to_units(column) -%}
    {{ exact_integer('cast(' ~ column ~ ' as decimal(28, 8)) * cast(100000000 as decimal(9, 0))') }}
{%- endmacro %}

{% macro units_to_usd(column) -%}
    cast(cast({{ column }} as decimal(29, 0)) * cast('0.00000001' as decimal(8, 8)) as decimal(38, 8))
{%- endmacro %}

{#- Whether an exact number is above 0 (1), below (-1) or 0; what engines have for it is a double on some. -#}
{% macro sign_of(column) -%}
    case when {{ column }} > 0 then 1 when {{ column }} < 0 then -1 when {{ column }} = 0 then 0 end
{%- endmacro %}

{#- Parts of a unit in which seat fees are shared. Fees of 200 million USD a month still split within 38 digits. -#}
{% macro fee_parts_per_unit() -%}
    10000
{%- endmacro %}
