{#- A select list entry that yields one row per day from first to last, both included. -#}
{% macro days_between(first, last) -%}
    {{ return(adapter.dispatch('days_between')(first, last)) }}
{%- endmacro %}

{% macro default__days_between(first, last) -%}
    {{ no_body('days_between') }}
{%- endmacro %}

{% macro duckdb__days_between(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval '1 day')) as date)
{%- endmacro %}

{#- Of moments without a zone: from dates, the engine makes moments of the session's zone, some days of which are not 24 hours. -#}
{% macro postgres__days_between(first, last) -%}
    cast(generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval '1 day') as date)
{%- endmacro %}
