-- One row per organisation whose cost is read: the first one, those with a key of their own, and the children that a
-- parent's key tells of.
with

organizations as (
    select * from {{ ref('int_organizations') }}
),

spend as (
    select
        organization_id,
        min(activity_date) as first_cost_date,
        max(activity_date) as last_cost_date
    from {{ ref('spend_daily') }}
    where spend_usd is not null
    group by organization_id
),

with_spend as (
    select
        organizations.organization_id,
        organizations.organization_name,
        organizations.kind,
        organizations.parent_organization_id,
        spend.first_cost_date,
        spend.last_cost_date,
        organizations.since_at as first_read_at
    from organizations
    left join spend on organizations.organization_id = spend.organization_id
)

select * from with_spend
