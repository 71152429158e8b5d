{#- A select of one text column with one row per value; for short lists. -#}
{% macro rows_of_text(texts, column) -%}
    {% for text in texts -%}
        select '{{ text }}' as {{ column }}
        {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The texts as literals, for `in (...)`. -#}
{% macro quoted(texts) -%}
    '{{ texts | join("', '") }}'
{%- endmacro %}
