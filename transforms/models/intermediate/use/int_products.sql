-- One row per product that the API reports users of, by its cost product name.
with

products as (
    select
        'chat' as product,
        30 as monthly_window_days,
        true as is_always_reported
    union all
    select
        'claude_code' as product,
        30 as monthly_window_days,
        true as is_always_reported
    union all
    select
        'cowork' as product,
        30 as monthly_window_days,
        true as is_always_reported
    union all
    select
        'office_agent' as product,
        30 as monthly_window_days,
        true as is_always_reported
    union all
    select
        'claude_design' as product,
        30 as monthly_window_days,
        true as is_always_reported
    union all
    select
        'science' as product,
        30 as monthly_window_days,
        true as is_always_reported
    union all
    select
        'claude_tag' as product,
        28 as monthly_window_days,
        false as is_always_reported
    union all
    select
        'chat_cowork_unified' as product,
        28 as monthly_window_days,
        false as is_always_reported
)

select * from products
