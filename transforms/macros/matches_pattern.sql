{#- Whether a text is like a pattern in which `*` stands for any text, as names are compared. -#}
{% macro matches_pattern(text, pattern) -%}
    {{ name_key(text) }} like
    replace(replace(replace(replace({{ name_key(pattern) }}, '!', '!!'), '%', '!%'), '_', '!_'), '*', '%')
    escape '!'
{%- endmacro %}
