{#- The named text columns as one JSON object, without those that are null; in functions that every engine has. -#}
{% macro json_of_texts(columns, prefix='') -%}
    '{' || substr(
        {%- for column in columns %}
        coalesce(
            ',"{{ prefix }}{{ column }}":"'
            || replace(replace(replace({{ column }}, '\', '\\'), '"', '\"'), chr(10), '\n') || '"',
            ''
        ){{ ' ||' if not loop.last }}
        {%- endfor %},
        2
    ) || '}'
{%- endmacro %}
