{#- Count of a classic product plus that of its part in unified chat and Cowork. `block` is a count that tells
    whether the classic block was there at all. An absent block adds nothing; a null in a present one is unknown. -#}
{% macro with_unified(count, block, unified_count=none) -%}
    case
        when coalesce({{ block }}, unified_{{ block }}, {{ count }}) is not null
            then
                coalesce({{ count }}, case when {{ block }} is null then 0 end)
                + coalesce(
                    {{ unified_count or 'unified_' ~ count }}, case when unified_{{ block }} is null then 0 end
                )
    end
{%- endmacro %}

{#- Distinct count over parts whose things may be the same: known only while at most one part is above 0. -#}
{% macro distinct_of_parts(parts, total=none) -%}
    case
        when
            case when {{ parts | join(' > 0 then 1 else 0 end + case when ') }} > 0 then 1 else 0 end <= 1
            then {{ total or parts | join(' + ') }}
    end
{%- endmacro %}

{#- Distinct count of a classic product and of its part in unified chat and Cowork. -#}
{% macro distinct_with_unified(noun, block) -%}
    {{ distinct_of_parts(
        ['distinct_' ~ noun, 'distinct_unified_' ~ noun],
        total=with_unified('distinct_' ~ noun, block, 'distinct_unified_' ~ noun)
    ) }}
{%- endmacro %}

{#- In a grouping: the value if the API sent one row, null if it repeated the name; distinct counts do not add up. -#}
{% macro unless_repeated(column) -%}
    case when count(*) = 1 then max({{ column }}) end
{%- endmacro %}

{#- In a grouping: the sum over what repeats a name; unknown where one of the parts is. -#}
{% macro sum_of_known(column) -%}
    case when count(*) = count({{ column }}) then sum({{ column }}) end
{%- endmacro %}

{#- A share as a fraction; null where there is nothing to be a share of, as with credits larger than what was spent.
    Never for money: it is a double. -#}
{% macro rate(numerator, denominator) -%}
    case when {{ denominator }} > 0 then cast({{ numerator }} as {{ float_type() }}) / ({{ denominator }}) end
{%- endmacro %}
