{#- The API's token types, and the columns of staging that count them. -#}
{% macro token_columns() -%}
    {{ return({
        'uncached_input_tokens': 'uncached_input_tokens',
        'output_tokens': 'output_tokens',
        'cache_read_input_tokens': 'cache_read_input_tokens',
        'cache_creation.ephemeral_5m_input_tokens': 'cache_creation_5m_input_tokens',
        'cache_creation.ephemeral_1h_input_tokens': 'cache_creation_1h_input_tokens',
    }) }}
{%- endmacro %}
