{#- Steps of a `with recursive`, the last of which is called `chain`: for each row (evidence_number, canonical_text) of a
    relation, numbered from 1, the hash of the row before it (64 zeros before the first) and its own, over that one and its
    text. Never a step of recursion per row, which takes longer than all the hashing. -#}
{% macro chained_hashes(relation) -%}
    {{ return(adapter.dispatch('chained_hashes')(relation)) }}
{%- endmacro %}

{% macro default__chained_hashes(relation) -%}
    {{ no_body('chained_hashes') }}
{%- endmacro %}

{#- A step of recursion per block; within it, the digests so far are one text, the newest at its end. Tools that only read the
    SQL have no variable, and get a lambda in the older form, which is all that they know. -#}
{% macro duckdb__chained_hashes(relation) -%}
{% set size = 256 %}
{% set head = 'lambda h, t:' if var('endpoints', none) else '(h, t) ->' %}
{% set hashed = head ~ ' h || sha256(right(h, 64) || t)' %}
blocks as (
    select
        (evidence_number - 1) // {{ size }} as block_number,
        list(canonical_text order by evidence_number) as texts
    from {{ relation }}
    group by (evidence_number - 1) // {{ size }}
),

hashed_blocks as (
    select
        block_number,
        list_reduce(texts, {{ hashed }}, repeat('0', 64)) as digests
    from blocks
    where block_number = 0
    union all
    select
        blocks.block_number,
        list_reduce(blocks.texts, {{ hashed }}, right(hashed_blocks.digests, 64)) as digests
    from hashed_blocks
    inner join blocks on blocks.block_number = hashed_blocks.block_number + 1
),

places as (
    select
        block_number,
        digests,
        unnest(range(1, length(digests) // 64)) as place
    from hashed_blocks
),

chain as (
    select
        block_number * {{ size }} + place as evidence_number,
        substring(digests, 64 * (place - 1) + 1, 64) as previous_hash,
        substring(digests, 64 * place + 1, 64) as row_hash
    from places
)
{%- endmacro %}

{#- An aggregate of our own, which pipelines/warehouse/postgres/build.py makes, over the rows up to each. -#}
{% macro postgres__chained_hashes(relation) -%}
digests as (
    select
        evidence_number,
        {{ this.schema }}.chained_hash(canonical_text) over (
            order by evidence_number rows between unbounded preceding and current row
        ) as row_hash
    from {{ relation }}
),

chain as (
    select
        evidence_number,
        coalesce(lag(row_hash) over (order by evidence_number), repeat('0', 64)) as previous_hash,
        row_hash
    from digests
)
{%- endmacro %}
