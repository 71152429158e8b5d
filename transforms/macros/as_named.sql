{#- A column as its name is written, capitals too: some engines fold names that are not in quotes. What is no name stays as it
    is. -#}
{% macro as_named(column) -%}
    {{ adapter.quote(column) if column is string and modules.re.fullmatch('[A-Za-z_]+', column) else column }}
{%- endmacro %}
