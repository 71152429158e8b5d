{#- What names that people type are compared by: departments, tiers, groups, names on approval lists, e-mails. The key of
    each name that is not plain was made by Python, because engines fold letters and forms in ways of their own; the
    relation is named without source(), so that unit tests need no rows of it. Its columns get names of their own here: a
    column of the caller's that is called name would be taken for the table's. -#}
{% macro name_key(column) -%}
    coalesce(
        (
            select max(known_names.key_of_known_name)
            from (
                select
                    name_keys.name as known_name,
                    name_keys.name_key as key_of_known_name
                from claude_raw.name_keys
            ) as known_names
            where known_names.known_name = {{ column }}
        ),
        translate(trim({{ column }}), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
    )
{%- endmacro %}


{#- What e-mails are joined on: they name the same person in any case. -#}
{% macro email_key(column) -%}
    {{ name_key(column) }}
{%- endmacro %}
