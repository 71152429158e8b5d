{#- Whether a text is like a pattern in which `*` stands for any text, without regard to case. -#}
{% macro matches_pattern(text, pattern) -%}
    lower({{ text }}) like
    replace(replace(replace(replace(lower({{ pattern }}), '!', '!!'), '%', '!%'), '_', '!_'), '*', '%')
    escape '!'
{%- endmacro %}
