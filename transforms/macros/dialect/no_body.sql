{#- Ends a build on an engine that a macro has no SQL for: what another engine understands would compile, and be wrong. -#}
{% macro no_body(name) -%}
    {{ exceptions.raise_compiler_error(
        'macros/dialect/' ~ name ~ '.sql has no body for ' ~ target.type ~ '; add ' ~ target.type ~ '__' ~ name ~ ' to it.'
    ) }}
{%- endmacro %}
