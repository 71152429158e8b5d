{#- What e-mails are joined on: they name the same person in any case. -#}
{% macro email_key(column) -%}
    lower(trim({{ column }}))
{%- endmacro %}
