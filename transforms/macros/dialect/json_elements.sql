{#- A select list entry that yields one row per element of a list under a key: its text, or its JSON; none if it is no list. -#}
{% macro json_elements(column, key) -%}
    {{ return(adapter.dispatch('json_elements')(column, key)) }}
{%- endmacro %}

{% macro default__json_elements(column, key) -%}
    {{ no_body('json_elements') }}
{%- endmacro %}

{% macro duckdb__json_elements(column, key) -%}
    unnest(try_cast(json_extract({{ column }}, '$."{{ key }}"') as varchar[]))
{%- endmacro %}

{#- Not as jsonb, which sorts the keys of an object and writes its numbers anew. -#}
{% macro postgres__json_elements(column, key) -%}
    json_array_elements_text(
        case
            when json_typeof(cast({{ column }} as json) -> '{{ key }}') = 'array'
                then cast({{ column }} as json) -> '{{ key }}'
            else cast('[]' as json)
        end
    )
{%- endmacro %}
