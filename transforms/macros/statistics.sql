{#- In a grouping: the middle value. -#}
{% macro median_of(expression) -%}
    {{ return(adapter.dispatch('median_of')(expression)) }}
{%- endmacro %}

{% macro default__median_of(expression) -%}
    percentile_cont(0.5) within group (order by {{ expression }})
{%- endmacro %}

{% macro duckdb__median_of(expression) -%}
    median(cast({{ expression }} as double))
{%- endmacro %}

{#- The chance that the next value is one that was never seen before, if it comes about as the earlier ones did: each of
    the n + 1 values is equally likely to be the newest, and only those that occur once can be new. -#}
{% macro chance_of_a_new_value(once_seen_count, earlier_count) -%}
    cast(1 + {{ once_seen_count }} as double precision) / (1 + {{ earlier_count }})
{%- endmacro %}
