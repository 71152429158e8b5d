{#- The rows of a raw table whose version counts, to be named in `from`. A join to a small table: raw tables hold every
    version that there ever was, and a window over them would read and sort all of it. -#}
{% macro counting_rows(table, unit='activity_date') -%}
    (
        select
            stored.*
        from {{ source('claude_raw', table) }} as stored
        inner join {{ ref('counting_versions') }} as counting
            on
                stored.version = counting.version
                {%- if unit %}
                and stored.{{ unit }} = counting.{{ unit }}
                {%- endif %}
        where counting.endpoint = '{{ table }}'
    ) as counting_rows
{%- endmacro %}

{#- The rows of the first organisation's roster, or of those of further ones, each with the moments of the snapshot that
    first had it and of the one that had it no more, to be named in `from`. A row that a broken load stored twice counts
    once. -#}
{% macro roster_rows(table, is_further=false) -%}
    (
        select *
        from (
            select
                changes.*,
                snapshots.since_number,
                snapshots.since_at as valid_from_at,
                lead(snapshots.since_at) over (
                    partition by snapshots.organization_id, changes.row_hash order by snapshots.since_number
                ) as valid_until_at,
                lead(snapshots.since_number) over (
                    partition by snapshots.organization_id, changes.row_hash order by snapshots.since_number
                ) as until_number
            from {{ source('claude_raw', table) }} as changes
            inner join {{ ref('counting_snapshots') }} as snapshots on changes.version = snapshots.version
            where
                snapshots.roster_table = '{{ table }}'
                and snapshots.organization_id is {{ 'not ' if is_further }}null
        ) as periods
        where not is_gone and (until_number is null or until_number > since_number)
    ) as roster_rows
{%- endmacro %}

{#- Whether something was known at the moment that marts are built as of; without one, everything that is there. -#}
{% macro known_by(moment) -%}
    {% if var('as_of', '') %}{{ moment }} <= cast('{{ var("as_of") }}' as timestamp){% else %}true{% endif %}
{%- endmacro %}
