-- One row per UTC day and product, and one for `all`: people active in the windows that end on the day.
-- A person's days become bits, 30 to a block, so that a window is one look at two blocks.
with

days as (
    select * from {{ ref('int_days') }}
),

products as (
    select * from {{ ref('int_products') }}
    union all
    select
        'all' as product,
        30 as monthly_window_days,
        true as is_always_reported
),

user_days as (
    select * from {{ ref('int_user_days') }}
),

user_blocks as (
    select * from {{ ref('int_user_blocks') }}
),

-- A block reaches 30 days into the one that follows it, also when that has no rows.
two_blocks as (
    select
        coalesce(newer.block_start, older.block_start + 30) as block_start,
        {{ bits_of_two_blocks('older.all_bits', 'newer.all_bits') }} as all_bits,
        {{ bits_of_two_blocks('older.chat_bits', 'newer.chat_bits') }} as chat_bits,
        {{ bits_of_two_blocks('older.claude_code_bits', 'newer.claude_code_bits') }} as claude_code_bits,
        {{ bits_of_two_blocks('older.cowork_bits', 'newer.cowork_bits') }} as cowork_bits,
        {{ bits_of_two_blocks('older.office_bits', 'newer.office_bits') }} as office_bits,
        {{ bits_of_two_blocks('older.design_bits', 'newer.design_bits') }} as design_bits,
        {{ bits_of_two_blocks('older.science_bits', 'newer.science_bits') }} as science_bits,
        {{ bits_of_two_blocks('older.claude_tag_bits', 'newer.claude_tag_bits') }} as claude_tag_bits,
        {{ bits_of_two_blocks('older.unified_bits', 'newer.unified_bits') }} as unified_bits
    from user_blocks as newer
    full outer join user_blocks as older
        on newer.user_id = older.user_id and newer.block_start = older.block_start + 30
),

product_blocks as (
    select
        two_blocks.block_start,
        products.product,
        products.monthly_window_days,
        case products.product
            when 'all' then two_blocks.all_bits
            when 'chat' then two_blocks.chat_bits
            when 'claude_code' then two_blocks.claude_code_bits
            when 'cowork' then two_blocks.cowork_bits
            when 'office_agent' then two_blocks.office_bits
            when 'claude_design' then two_blocks.design_bits
            when 'science' then two_blocks.science_bits
            when 'claude_tag' then two_blocks.claude_tag_bits
            when 'chat_cowork_unified' then two_blocks.unified_bits
        end as bits
    from two_blocks
    cross join products
),

-- Single days take so many patterns that they are told in tens; those of the longer windows are few.
windows as (
    select
        block_start,
        product,
        'daily' as window_name,
        {{ bits_between(0, 9, 'bits') }} as active_days
    from product_blocks
    union all
    select
        block_start,
        product,
        'daily' as window_name,
        {{ bits_between(10, 19, 'bits') }} as active_days
    from product_blocks
    union all
    select
        block_start,
        product,
        'daily' as window_name,
        {{ bits_between(20, 29, 'bits') }} as active_days
    from product_blocks
    union all
    select
        block_start,
        product,
        'weekly' as window_name,
        {{ days_within(7, 'bits') }} as active_days
    from product_blocks
    union all
    select
        block_start,
        product,
        'monthly' as window_name,
        case monthly_window_days
            when 28 then {{ days_within(28, 'bits') }}
            when 30 then {{ days_within(30, 'bits') }}
        end as active_days
    from product_blocks
),

-- People with the same days count together.
patterns as (
    select
        block_start,
        product,
        window_name,
        active_days,
        count(*) as user_count
    from windows
    where active_days <> 0
    group by block_start, product, window_name, active_days
),

numbered_days as (
    select
        activity_date,
        {{ days_from("cast('2026-01-01' as date)", 'activity_date') }} as day_number
    from days
),

days_in_blocks as (
    select
        activity_date,
        29 - {{ day_in_block('day_number') }} as bit,
        day_number - {{ day_in_block('day_number') }} as block_start
    from numbered_days
),

active_users as (
    select
        days_in_blocks.activity_date,
        patterns.product,
        sum(case when patterns.window_name = 'daily' then patterns.user_count end) as daily,
        sum(case when patterns.window_name = 'weekly' then patterns.user_count end) as weekly,
        sum(case when patterns.window_name = 'monthly' then patterns.user_count end) as monthly
    from patterns
    inner join days_in_blocks on patterns.block_start = days_in_blocks.block_start
    where {{ has_bit('patterns.active_days', 'days_in_blocks.bit') }}
    group by days_in_blocks.activity_date, patterns.product
),

reported_rows as (
    select
        activity_date,
        count(*) as all_rows,
        count(chat_message_count) as chat_rows,
        count(claude_code_session_count) as claude_code_rows,
        count(coalesce(cowork_session_count, cowork_message_count)) as cowork_rows,
        count(office_message_count) as office_rows,
        count(design_message_count) as design_rows,
        count(science_message_count) as science_rows,
        count(claude_tag_message_count) as claude_tag_rows,
        count(case when is_unified_reported then 1 end) as unified_rows
    from user_days
    group by activity_date
),

product_days as (
    select
        days.activity_date,
        products.product,
        products.monthly_window_days,
        days.is_users_loaded,
        products.is_always_reported,
        reported_rows.activity_date is not null as has_rows,
        case products.product
            when 'all' then reported_rows.all_rows
            when 'chat' then reported_rows.chat_rows
            when 'claude_code' then reported_rows.claude_code_rows
            when 'cowork' then reported_rows.cowork_rows
            when 'office_agent' then reported_rows.office_rows
            when 'claude_design' then reported_rows.design_rows
            when 'science' then reported_rows.science_rows
            when 'claude_tag' then reported_rows.claude_tag_rows
            when 'chat_cowork_unified' then reported_rows.unified_rows
        end > 0 as has_reported_rows
    from days
    cross join products
    left join reported_rows on days.activity_date = reported_rows.activity_date
),

-- A day without any row cannot show whether this organisation has a product; its other days can.
known_days as (
    select
        activity_date,
        product,
        monthly_window_days,
        is_users_loaded and case
            when has_rows then has_reported_rows
            else is_always_reported or count(case when has_reported_rows then 1 end) over (partition by product) > 0
        end as is_known
    from product_days
),

known_windows as (
    select
        activity_date,
        product,
        monthly_window_days,
        is_known,
        count(case when is_known then 1 end) over (
            partition by product order by activity_date rows between 6 preceding and current row
        ) as known_days_in_7,
        count(case when is_known then 1 end) over (
            partition by product order by activity_date rows between 27 preceding and current row
        ) as known_days_in_28,
        count(case when is_known then 1 end) over (
            partition by product order by activity_date rows between 29 preceding and current row
        ) as known_days_in_30
    from known_days
),

-- In a window that is known throughout, nobody found means nobody was active: 0.
with_active_users as (
    select
        known_windows.activity_date,
        known_windows.product,
        case
            when known_windows.is_known
                then cast(coalesce(active_users.daily, 0) as bigint)
        end as computed_daily_active_users,
        case
            when known_windows.known_days_in_7 = 7
                then cast(coalesce(active_users.weekly, 0) as bigint)
        end as computed_weekly_active_users,
        case
            when known_windows.monthly_window_days = 28 and known_windows.known_days_in_28 = 28
                then cast(coalesce(active_users.monthly, 0) as bigint)
            when known_windows.monthly_window_days = 30 and known_windows.known_days_in_30 = 30
                then cast(coalesce(active_users.monthly, 0) as bigint)
        end as computed_monthly_active_users
    from known_windows
    left join active_users
        on
            known_windows.activity_date = active_users.activity_date
            and known_windows.product = active_users.product
)

select * from with_active_users
