{#- A product by its one name in our marts. The older reports spell Claude Tag in several ways; what we do not know
    yet, and null, stay as they are. -#}
{% macro canonical_product(column) -%}
    case
        when {{ column }} in ('claude-tag', 'claude-in-slack', 'claude_in_slack') then 'claude_tag'
        else {{ column }}
    end
{%- endmacro %}
