-- One row per assistant vendor and account at it.
with

vendors as (
    {% for vendor in declared('assistants') %}
        select
            '{{ vendor }}' as vendor,
            account_key,
            user_id,
            email
        from {{ ref('stg_' ~ vendor ~ '__assistant_people') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from vendors
