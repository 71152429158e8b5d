-- One row per assistant vendor and account at it. The e-mail is the one that Claude has now of who was seen with it
-- last, since people are called otherwise here and there while they change their address.
with

vendors as (
    {% for vendor in declared('assistants') %}
        select
            '{{ vendor }}' as vendor,
            account_key,
            user_id,
            email
        from {{ ref('stg_' ~ vendor ~ '__assistant_people') }}
        union all
    {% endfor %}
    select
        vendor,
        account_key,
        cast(null as {{ dbt.type_string() }}) as user_id,
        max(email_key) as email
    from {{ ref('stg_other_assistants') }}
    group by vendor, account_key
),

claude_people as (
    select
        user_id,
        {{ email_key('email') }} as email
    from {{ ref('int_people') }}
),

holders_in_order as (
    select
        user_id,
        email_key,
        row_number() over (
            partition by email_key order by last_seen_date desc, first_seen_date desc, user_id asc
        ) as holders_since
    from {{ ref('int_address_periods') }}
),

claude_addresses as (
    select
        holders_in_order.email_key,
        claude_people.email
    from holders_in_order
    inner join claude_people on holders_in_order.user_id = claude_people.user_id
    where holders_in_order.holders_since = 1
),

with_person as (
    select
        vendors.vendor,
        vendors.account_key,
        vendors.user_id,
        case
            when vendors.vendor = 'claude' then vendors.email
            else coalesce(claude_addresses.email, vendors.email)
        end as email
    from vendors
    left join claude_addresses on vendors.email = claude_addresses.email_key
)

select * from with_person
