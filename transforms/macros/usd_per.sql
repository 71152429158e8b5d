{#- An amount per one of a count, rounded to the nearest 0.00000001 USD; null where there is nothing to divide by. -#}
{% macro usd_per(amount, count) -%}
    cast(
        case
            when {{ count }} > 0
                then {{ units_to_usd(
                    'case when ' ~ amount ~ ' < 0 then -1 else 1 end * '
                    ~ quotient(
                        '2 * abs(' ~ usd_to_units(amount) ~ ') + ' ~ exact_integer(count),
                        '2 * ' ~ exact_integer(count)
                    )
                ) }}
        end as decimal(38, 8)
    )
{%- endmacro %}
