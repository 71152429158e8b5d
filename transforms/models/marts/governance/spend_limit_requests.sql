-- One row per request of a member for a higher spend limit, as it was last seen.
with

requests as (
    select * from {{ ref('stg_spend_limit_increase_requests') }}
),

people as (
    select * from {{ ref('int_people') }}
),

snapshots as (
    select max(newest_snapshot_at) as listed_at
    from {{ ref('int_roster_snapshots') }}
    where roster_table = 'spend_limit_increase_requests'
),

requests_in_order as (
    select
        requests.*,
        snapshots.listed_at,
        row_number() over (
            partition by requests.request_id order by requests.valid_from_at desc, requests.status asc
        ) as states_since
    from requests
    inner join snapshots on requests.valid_from_at <= snapshots.listed_at
),

with_people as (
    select
        requests_in_order.request_id,
        requests_in_order.user_id,
        people.email,
        people.name,
        requests_in_order.period,
        requests_in_order.status,
        requests_in_order.resolved_by_id,
        deciders.email as resolved_by_email,
        {{ days_from(
            'cast(requests_in_order.created_at as date)',
            'cast(coalesce(requests_in_order.resolved_at, requests_in_order.listed_at) as date)'
        ) }} as waiting_days,
        requests_in_order.resolved_by_id = requests_in_order.user_id as is_decided_by_requester,
        requests_in_order.created_at,
        requests_in_order.resolved_at
    from requests_in_order
    left join people on requests_in_order.user_id = people.user_id
    left join people as deciders on requests_in_order.resolved_by_user_id = deciders.user_id
    where requests_in_order.states_since = 1
)

select * from with_people
