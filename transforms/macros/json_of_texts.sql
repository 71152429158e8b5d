{#- The named text columns as one JSON object, without those that are null; in functions that every engine has. The keys are
    the columns' names, unless others are given. -#}
{% macro json_of_texts(columns, keys=none) -%}
    '{' || substr(
        {%- for column in columns %}
        coalesce(
            ',"{{ (keys or columns)[loop.index0] }}":"'
            || replace(replace(replace({{ column }}, '\', '\\'), '"', '\"'), chr(10), '\n') || '"',
            ''
        ){{ ' ||' if not loop.last }}
        {%- endfor %},
        2
    ) || '}'
{%- endmacro %}
