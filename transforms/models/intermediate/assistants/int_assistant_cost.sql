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
        union all
    {% endfor %}
    select
        vendor,
        month,
        account_key,
        cast({{ sum_of_known('cost_usd') }} as decimal(38, 8)) as cost_usd
    from {{ ref('stg_other_assistants') }}
    group by vendor, month, account_key
)

select * from vendors
