-- One row per user and block of 30 UTC days, counted from 2026-01-01, with activity: the active days as bits.
with

user_days as (
    select
        user_days.*,
        {{ days_from("cast('2026-01-01' as date)", 'activity_date') }} as day_number
    from {{ ref('int_user_days') }} as user_days
),

user_days_in_blocks as (
    select
        user_days.*,
        29 - {{ day_in_block('day_number') }} as bit,
        day_number - {{ day_in_block('day_number') }} as block_start
    from user_days
),

user_blocks as (
    select
        user_id,
        block_start,
        {{ days_as_bits('is_active', 'bit') }} as all_bits,
        {{ days_as_bits('is_active_in_chat', 'bit') }} as chat_bits,
        {{ days_as_bits('is_active_in_claude_code', 'bit') }} as claude_code_bits,
        {{ days_as_bits('is_active_in_cowork', 'bit') }} as cowork_bits,
        {{ days_as_bits('is_active_in_office', 'bit') }} as office_bits,
        {{ days_as_bits('is_active_in_design', 'bit') }} as design_bits,
        {{ days_as_bits('is_active_in_science', 'bit') }} as science_bits,
        {{ days_as_bits('is_active_in_claude_tag', 'bit') }} as claude_tag_bits,
        {{ days_as_bits('is_active_in_unified', 'bit') }} as unified_bits
    from user_days_in_blocks
    group by user_id, block_start
)

select * from user_blocks
