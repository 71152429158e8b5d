{#- A select list entry that yields one row per part of a text between separators; none where it is null. -#}
{% macro parts_of_text(column, separator) -%}
    {{ return(adapter.dispatch('parts_of_text')(column, separator)) }}
{%- endmacro %}

{% macro default__parts_of_text(column, separator) -%}
    {{ no_body('parts_of_text') }}
{%- endmacro %}

{% macro duckdb__parts_of_text(column, separator) -%}
    unnest(string_to_array({{ column }}, '{{ separator }}'))
{%- endmacro %}

{% macro postgres__parts_of_text(column, separator) -%}
    unnest(string_to_array({{ column }}, '{{ separator }}'))
{%- endmacro %}
