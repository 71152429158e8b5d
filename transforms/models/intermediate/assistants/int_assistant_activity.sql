-- One row per assistant vendor, month and account, and one per month without an account: how much of it is known.
with

vendors as (
    {% for vendor in declared('assistants') %}
        select
            '{{ vendor }}' as vendor,
            month,
            account_key,
            message_count,
            was_active,
            covered_days,
            month_days,
            coverage
        from {{ ref('stg_' ~ vendor ~ '__assistant_activity') }}
        union all
    {% endfor %}
    select
        vendor,
        month,
        account_key,
        message_count,
        was_active,
        covered_days,
        month_days,
        coverage
    from {{ ref('int_other_assistant_activity') }}
)

select * from vendors
