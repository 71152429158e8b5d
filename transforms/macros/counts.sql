{#- Sum of the parts that are known; null only if all are. An unknown part of a known sum counts as 0, because a
    member's activity stands in either part: classic, or unified chat and Cowork. -#}
{% macro sum_of_known(parts) -%}
    case
        when coalesce({{ parts | join(', ') }}) is not null
            then coalesce({{ parts | join(', 0) + coalesce(') }}, 0)
    end
{%- endmacro %}

{#- Distinct count over parts whose things may be the same: known only while at most one part is above 0. -#}
{% macro distinct_of_parts(parts) -%}
    case
        when
            case when {{ parts | join(' > 0 then 1 else 0 end + case when ') }} > 0 then 1 else 0 end <= 1
            then {{ sum_of_known(parts) }}
    end
{%- endmacro %}

{#- In a grouping: the value if the API sent one row, null if it repeated the name; distinct counts do not add up. -#}
{% macro unless_repeated(column) -%}
    case when count(*) = 1 then max({{ column }}) end
{%- endmacro %}

{#- A share as a fraction; null when there is nothing to divide by. Never for money: it is a double. -#}
{% macro rate(numerator, denominator) -%}
    cast({{ numerator }} as double precision) / nullif({{ denominator }}, 0)
{%- endmacro %}
