{#- The setting that a switch event is about: its type without the word that says what became of it. -#}
{% macro setting_of_event_type(column) -%}
    {% set endings = [
        '_enabled', '_disabled', '_deactivated', '_activated', '_toggled', '_created', '_updated', '_deleted', '_removed',
        '_verified',
    ] -%}
    case
        {%- for ending in endings %}
        when {{ column }} like '%{{ ending }}' then left({{ column }}, length({{ column }}) - {{ ending | length }})
        {%- endfor %}
        else {{ column }}
    end
{%- endmacro %}
