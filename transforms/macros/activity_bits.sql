{#- Thirty days of a person's activity fit one integer, a bit per day with the newest day in the lowest bit. A window of
    up to 30 days then looks at two integers, a block of 30 days and the one before it, where sorting every person's
    days would take minutes. -#}

{#- A day's place in its block, 0 to 29, also of one before 2026-01-01: mod() of a negative number is negative. -#}
{% macro day_in_block(day_number) -%}
    mod(mod({{ day_number }}, 30) + 30, 30)
{%- endmacro %}

{#- In a grouping by block: the days that meet the condition as bits; bit is 29 for a block's first day, 0 for its last. -#}
{% macro days_as_bits(condition, bit) -%}
    bit_or(case when {{ condition }} then cast(1 as bigint) << cast({{ bit }} as integer) else 0 end)
{%- endmacro %}

{#- The bits of two blocks in a row as one. A block without a row is one without activity: 0. -#}
{% macro bits_of_two_blocks(older_bits, newer_bits) -%}
    (coalesce({{ older_bits }}, 0) << 30) | coalesce({{ newer_bits }}, 0)
{%- endmacro %}

{#- For each day of the newer of two blocks, its bit: whether the window that ends on the day has an active day. -#}
{% macro days_within(window_days, bits) -%}
    (
        {%- for age in range(window_days) %}
        ({{ bits }} >> {{ age }}){{ ' |' if not loop.last }}
        {%- endfor %}
    ) & {{ 2 ** 30 - 1 }}
{%- endmacro %}

{#- Of the bits, only those from a first to a last one. -#}
{% macro bits_between(first, last, bits) -%}
    {{ bits }} & {{ 2 ** (last + 1) - 2 ** first }}
{%- endmacro %}

{#- Whether one bit is set. -#}
{% macro has_bit(bits, bit) -%}
    ({{ bits }} >> cast({{ bit }} as integer)) & 1 = 1
{%- endmacro %}
