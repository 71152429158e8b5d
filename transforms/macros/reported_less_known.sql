{#- In a grouping over rows that are reported in total or known one by one (`is_reported`): what is not known. A total
    that has no row is 0 where a group has rows at all; one that is null is unknown. -#}
{% macro reported_less_known(column) -%}
    case when count(case when is_reported then 1 end) = 0 then 0 else sum(case when is_reported then {{ column }} end) end
    - coalesce(sum(case when not is_reported then {{ column }} end), 0)
{%- endmacro %}
