-- One row per assistant vendor, month and account.
with

vendors as (
    {% for vendor in declared('assistants') -%}
    select
        '{{ vendor }}' as vendor,
        month,
        account_key,
        cost_usd
    from {{ ref('stg_' ~ vendor ~ '__assistant_cost') }}
    {{- '\n    union all' if not loop.last }}
    {% endfor %}
)

select * from vendors
