{#- The rows of a ledger that say what is known: a killed load can leave ledger rows without the rows that they speak of,
    and what is kept apart is not believed yet. -#}
{% macro fetches_that_count(ledger) -%}
    select * from {{ ref(ledger) }}
    where
        outcome <> 'kept_apart'
        and load_id in (
            select stg_dlt_loads.load_id from {{ ref('stg_dlt_loads') }} as stg_dlt_loads
            where stg_dlt_loads.status = 0
        )
{%- endmacro %}
