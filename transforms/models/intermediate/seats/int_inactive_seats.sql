-- One row per UTC day of the roster: seats whose holder was not active in the 30 days that end on the day.
-- Blocks of days as bits, as in int_rolling_active_users: nobody's days are walked one by one.
with

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

user_blocks as (
    select * from {{ ref('int_user_blocks') }}
),

roster_days as (
    select
        {{ days_between('cast(first_snapshot_at as date)', 'cast(newest_snapshot_at as date)') }} as activity_date
    from snapshots
),

numbered_days as (
    select
        activity_date,
        {{ days_from("cast('2026-01-01' as date)", 'activity_date') }} as day_number
    from roster_days
),

days_in_blocks as (
    select
        activity_date,
        29 - {{ day_in_block('day_number') }} as bit,
        day_number - {{ day_in_block('day_number') }} as block_start
    from numbered_days
),

blocks as (
    select distinct block_start from days_in_blocks
),

member_periods as (
    select
        user_id,
        {{ days_from("cast('2026-01-01' as date)", 'valid_from_date') }} as first_number,
        {{ days_from("cast('2026-01-01' as date)", 'valid_until_date') }} - 1 as last_number
    from {{ ref('int_member_periods') }}
),

periods_in_blocks as (
    select
        member_periods.user_id,
        blocks.block_start,
        case
            when member_periods.first_number > blocks.block_start
                then 29 - (member_periods.first_number - blocks.block_start)
            else 29
        end as first_bit,
        case
            when member_periods.last_number < blocks.block_start + 29
                then 29 - (member_periods.last_number - blocks.block_start)
            else 0
        end as last_bit
    from member_periods
    inner join blocks
        on
            member_periods.first_number < blocks.block_start + 30
            and member_periods.last_number >= blocks.block_start
),

holder_blocks as (
    select
        user_id,
        block_start,
        bit_or(
            (cast(1 as bigint) << cast(first_bit + 1 as integer)) - (cast(1 as bigint) << cast(last_bit as integer))
        ) as held_days
    from periods_in_blocks
    group by user_id, block_start
),

with_activity as (
    select
        holder_blocks.block_start,
        holder_blocks.held_days,
        {{ bits_of_two_blocks('older.all_bits', 'newer.all_bits') }} as active_bits
    from holder_blocks
    left join user_blocks as newer
        on holder_blocks.user_id = newer.user_id and holder_blocks.block_start = newer.block_start
    left join user_blocks as older
        on holder_blocks.user_id = older.user_id and holder_blocks.block_start = older.block_start + 30
),

with_active_windows as (
    select
        block_start,
        held_days,
        {{ days_within(30, 'active_bits') }} as days_after_activity
    from with_activity
),

-- Seats with the same days count together.
patterns as (
    select
        block_start,
        held_days - (held_days & days_after_activity) as inactive_days,
        count(*) as seat_count
    from with_active_windows
    group by block_start, held_days - (held_days & days_after_activity)
),

-- On a day of the roster, no seat found means that none was inactive: 0.
inactive_seats as (
    select
        days_in_blocks.activity_date,
        cast(coalesce(sum(patterns.seat_count), 0) as bigint) as inactive_seats
    from days_in_blocks
    left join patterns
        on
            days_in_blocks.block_start = patterns.block_start
            and {{ has_bit('patterns.inactive_days', 'days_in_blocks.bit') }}
    group by days_in_blocks.activity_date
)

select * from inactive_seats
