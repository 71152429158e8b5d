-- One row per event about access, in the order of time, each with a hash over itself and the hash before it.
with recursive

events as (
    select * from {{ ref('security_events') }}
    where category in ('login', 'api_key', 'membership', 'role', 'setting', 'sharing', 'connector', 'export')
),

-- Every cell is text, so that a file of them has the same hashes; there is no empty text.
cells as (
    select
        row_number() over (order by event_at, event_id) as evidence_number,
        event_id,
        {{ moment_as_text('event_at') }} as event_at_text,
        event_type,
        category,
        nullif(actor_type, '') as actor_type,
        nullif(actor_id, '') as actor_id,
        nullif(user_id, '') as user_id,
        nullif(actor_email, '') as actor_email,
        nullif(target_id, '') as target_id,
        nullif(ip_address, '') as ip_address,
        nullif(user_agent, '') as user_agent,
        nullif(organization_id, '') as organization_id,
        nullif(attributes, '') as attributes,
        event_at
    from events
),

with_text as (
    select
        cells.*,
        cast(evidence_number as {{ dbt.type_string() }}) as evidence_number_text
    from cells
),

rows_as_text as (
    select
        with_text.*,
        {{ evidence_text(['evidence_number_text'] + evidence_columns()) }} as canonical_text
    from with_text
),

{{ chained_hashes('rows_as_text') }},

with_hashes as (
    select
        rows_as_text.evidence_number,
        rows_as_text.event_id,
        rows_as_text.event_at_text,
        rows_as_text.event_type,
        rows_as_text.category,
        rows_as_text.actor_type,
        rows_as_text.actor_id,
        rows_as_text.user_id,
        rows_as_text.actor_email,
        rows_as_text.target_id,
        rows_as_text.ip_address,
        rows_as_text.user_agent,
        rows_as_text.organization_id,
        rows_as_text.attributes,
        chain.previous_hash,
        chain.row_hash,
        rows_as_text.event_at
    from rows_as_text
    inner join chain on rows_as_text.evidence_number = chain.evidence_number
)

select * from with_hashes
