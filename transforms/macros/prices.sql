{#- A quantity in whole units of 0.000000000001, so that no digit of a price is lost. -#}
{% macro quantity_to_units(column) -%}
    {{ exact_integer('cast(' ~ column ~ ' as decimal(24, 12)) * cast(1000000000000 as decimal(13, 0))') }}
{%- endmacro %}

{% macro units_to_quantity(units) -%}
    cast(cast({{ units }} as decimal(25, 0)) * cast('0.000000000001' as decimal(12, 12)) as decimal(38, 12))
{%- endmacro %}

{#- The price of one of `quantity_units` (of 0.000000000001) that together cost `usd_units` (of 0.00000001 USD), in whole
    units of 10 ** -digits USD, rounded once. Both as positive numbers; null where there is no quantity. -#}
{% macro unit_price(usd_units, quantity_units, digits) -%}
    {{ quotient(
        '2 * (' ~ usd_units ~ ') * ' ~ exact_integer("'1" ~ '0' * (digits + 4) ~ "'") ~ ' + ' ~ quantity_units,
        'nullif(2 * ' ~ quantity_units ~ ', 0)'
    ) }}
{%- endmacro %}

{#- Whether a charge's cost and its list price are one above and the other below zero, so that no one price gives both. -#}
{% macro have_two_signs(table) -%}
    (
        ({{ table }}.billed_usd < 0 and {{ table }}.list_price_usd > 0)
        or ({{ table }}.billed_usd > 0 and {{ table }}.list_price_usd < 0)
    )
{%- endmacro %}
