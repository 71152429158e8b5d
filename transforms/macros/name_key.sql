{#- What names that people type are compared by: departments, tiers, groups, names on approval lists, e-mails. The key of
    each name that is not plain was made by Python, because engines fold letters and forms in ways of their own; the
    relation is named without source(), so that unit tests need no rows of it. -#}
{% macro name_key(column) -%}
    coalesce(
        (select max(name_keys.name_key) from claude_raw.name_keys where name_keys.name = {{ column }}),
        translate(trim({{ column }}), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
    )
{%- endmacro %}


{#- What e-mails are joined on: they name the same person in any case. -#}
{% macro email_key(column) -%}
    {{ name_key(column) }}
{%- endmacro %}
