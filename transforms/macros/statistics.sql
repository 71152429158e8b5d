{#- The chance that the next value is one that was never seen before, if it comes about as the earlier ones did: each of
    the n + 1 values is equally likely to be the newest, and only those that occur once can be new. -#}
{% macro chance_of_a_new_value(once_seen_count, earlier_count) -%}
    cast(1 + {{ once_seen_count }} as {{ float_type() }}) / (1 + {{ earlier_count }})
{%- endmacro %}
