{#- A zone-aware moment as a plain timestamp in UTC, whatever the session's zone is. -#}
{% macro utc_timestamp(column) -%}
    cast({{ column }} at time zone 'UTC' as timestamp)
{%- endmacro %}
