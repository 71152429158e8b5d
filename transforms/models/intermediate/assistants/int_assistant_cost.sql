-- One row per assistant vendor, month and account.
with

vendors as (
    {% for vendor in declared('assistants') %}
        select
            '{{ vendor }}' as vendor,
            month,
            account_key,
            cost_usd
        from {{ ref('stg_' ~ vendor ~ '__assistant_cost') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from vendors
