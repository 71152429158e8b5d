-- One row per model that its vendor retires: the UTC day on which it ends, by the official package.
{%- set retiring_models = {
    'claude-mythos-preview': '2026-06-30',
    'claude-opus-4-5': '2027-01-22',
    'claude-opus-4-5-20251101': '2027-01-22',
    'claude-sonnet-4-5': '2026-11-30',
    'claude-sonnet-4-5-20250929': '2026-11-30',
} %}
with

retiring_models as (
    {% for model, retires_date in retiring_models.items() -%}
        select
            '{{ model }}' as model,
            cast('{{ retires_date }}' as date) as retires_date
        {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}
)

select * from retiring_models
