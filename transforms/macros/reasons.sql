{#- The texts whose conditions hold, separated by "; "; null if none does. Each pair is a condition and an SQL text. -#}
{% macro reasons(pairs) -%}
    nullif(
        substring(
            {%- for condition, text in pairs %}
            case when {{ condition }} then '; ' || {{ text }} else '' end{{ ' ||' if not loop.last }}
            {%- endfor %},
            3
        ),
        ''
    )
{%- endmacro %}
