{#- The value of a key of a JSON object in a text column: text as it is, anything else as JSON; null if it is not there. -#}
{% macro json_text(column, key) -%}
    {{ return(adapter.dispatch('json_text')(column, key)) }}
{%- endmacro %}

{% macro default__json_text(column, key) -%}
    (cast({{ column }} as json) ->> '{{ key }}')
{%- endmacro %}

{% macro duckdb__json_text(column, key) -%}
    json_extract_string({{ column }}, '$."{{ key }}"')
{%- endmacro %}

{#- A select list entry that yields one row per element of a list under a key: its text, or its JSON; none if it is no list. -#}
{% macro json_elements(column, key) -%}
    {{ return(adapter.dispatch('json_elements')(column, key)) }}
{%- endmacro %}

{% macro default__json_elements(column, key) -%}
    jsonb_array_elements_text(jsonb_path_query_array(cast({{ column }} as jsonb), '$.{{ key }}[*]'))
{%- endmacro %}

{% macro duckdb__json_elements(column, key) -%}
    unnest(try_cast(json_extract({{ column }}, '$."{{ key }}"') as varchar[]))
{%- endmacro %}
