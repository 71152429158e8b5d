{#- The value of a key of a JSON object in a text column: text as it is, anything else as JSON; null if it is not there. -#}
{% macro json_text(column, key) -%}
    {{ return(adapter.dispatch('json_text')(column, key)) }}
{%- endmacro %}

{% macro default__json_text(column, key) -%}
    {{ no_body('json_text') }}
{%- endmacro %}

{% macro duckdb__json_text(column, key) -%}
    json_extract_string({{ column }}, '$."{{ key }}"')
{%- endmacro %}

{#- An object or a list without its blanks; what stands in quotes is matched first, and kept. -#}
{% macro postgres__json_text(column, key) -%}
    case
        when json_typeof(cast({{ column }} as json) -> '{{ key }}') in ('object', 'array')
            then regexp_replace(
                cast({{ column }} as json) ->> '{{ key }}', '("(?:[^"\\]|\\.)*")|[[:space:]]+', '\1', 'g'
            )
        else cast({{ column }} as json) ->> '{{ key }}'
    end
{%- endmacro %}
