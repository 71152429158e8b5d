-- One row per product that people were active in or money was spent on, or that the API reports users of.
{{ config(materialized='view') }}
{%- set names = {
    'cc_security_autopatch': 'Claude Code security patches',
    'chat': 'Chat',
    'chat_cowork_unified': 'Unified chat and Cowork',
    'claude_code': 'Claude Code',
    'claude_design': 'Design',
    'claude_in_chrome': 'Claude in Chrome',
    'claude_tag': 'Claude in Slack',
    'cowork': 'Cowork',
    'messages_api': 'Messages API',
    'office_agent': 'Office',
    'other': 'Other',
    'science': 'Science',
} %}
with

products_of_marts as (
    select
        product,
        1 as has_activity,
        0 as has_spend
    from {{ ref('int_products') }}
    union all
    select distinct
        product,
        1 as has_activity,
        0 as has_spend
    from {{ ref('user_product_activity_daily') }}
    union all
    select distinct
        product,
        0 as has_activity,
        1 as has_spend
    from {{ ref('spend_daily') }}
    where product is not null
),

products as (
    select
        product,
        case product
            {% for product, name in names.items() -%}
                when '{{ product }}' then '{{ name }}'
            {% endfor -%}
            else replace(product, '_', ' ')
        end as product_name,
        max(has_activity) = 1 as has_activity,
        max(has_spend) = 1 as has_spend
    from products_of_marts
    group by product
)

select * from products
