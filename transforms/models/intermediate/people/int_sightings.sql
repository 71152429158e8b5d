-- One row per person, source, e-mail and name that the source gave them, and for a roster also per period in which it
-- did not change: when it was seen first and last. Who is named by no other source than the activity feed is not in it.
-- `last_confirmed_at` is when a roster said so last: what the next one no longer has can have ended at once after that.
with

sightings_by_day as (
    {% for source in sources_by_day() %}
        select
            '{{ source.source }}' as source,
            {{ source.user_id or 'user_id' }} as user_id,
            {{ source.email or 'email' }} as email,
            {{ source.name or 'cast(null as ' ~ dbt.type_string() ~ ')' }} as name,
            cast(min({{ source.seen_at or 'activity_date' }}) as timestamp) as first_seen_at,
            cast(max({{ source.seen_at or 'activity_date' }}) as timestamp) as last_seen_at
        from {{ ref('stg_' ~ source.source) }}
        where
            {{ source.user_id or 'user_id' }} is not null
            {%- if source.source in ('costs', 'usage') %}
                and user_id not in (
                    select console_people.account_id from {{ ref('int_console_people') }} as console_people
                    where console_people.account_id <> console_people.person_id
                )
            {%- endif %}
        group by {{ source.user_id or 'user_id' }}, {{ source.email or 'email' }}{{ ', name' if source.name }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

newest_snapshots as (
    select
        roster_table,
        newest_snapshot_at,
        max(newest_snapshot_at) over () as newest_of_any_at
    from {{ ref('int_roster_snapshots') }}
),

complete_snapshots as (
    {{ fetches_that_count('stg_roster_snapshots') }}
),

snapshots as (
    select
        roster_table,
        snapshot_at
    from complete_snapshots
    where organization_id is null
),

roster_rows as (
    {% for roster in rosters_of_people() %}
        select
            '{{ roster }}' as source,
            user_id,
            email,
            {{ 'cast(null as ' ~ dbt.type_string() ~ ')' if roster == 'rbac_group_members' else 'name' }} as name,
            valid_from_at,
            valid_until_at
        from {{ ref('stg_' ~ roster) }}
        where user_id is not null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

ends as (
    select distinct
        source,
        valid_until_at
    from roster_rows
    where valid_until_at is not null
),

snapshots_before_ends as (
    select
        ends.source,
        ends.valid_until_at,
        max(snapshots.snapshot_at) as snapshot_at
    from ends
    inner join snapshots on ends.source = snapshots.roster_table and ends.valid_until_at > snapshots.snapshot_at
    group by ends.source, ends.valid_until_at
),

-- What a roster still says was seen with its newest snapshot.
sightings_by_period as (
    select
        roster_rows.source,
        roster_rows.user_id,
        roster_rows.email,
        roster_rows.name,
        roster_rows.valid_from_at as first_seen_at,
        coalesce(roster_rows.valid_until_at, newest_snapshots.newest_of_any_at, roster_rows.valid_from_at)
            as last_seen_at,
        case
            when roster_rows.valid_until_at is null then newest_snapshots.newest_snapshot_at
            else snapshots_before_ends.snapshot_at
        end as last_confirmed_at
    from roster_rows
    left join newest_snapshots on roster_rows.source = newest_snapshots.roster_table
    left join snapshots_before_ends
        on
            roster_rows.source = snapshots_before_ends.source
            and roster_rows.valid_until_at = snapshots_before_ends.valid_until_at
),

all_sightings as (
    select
        sightings_by_day.*,
        last_seen_at as last_confirmed_at
    from sightings_by_day
    union all
    select * from sightings_by_period
),

-- The feed names many more than the people of this organisation's Claude, such as those of its console.
people as (
    select distinct user_id from all_sightings
    where source <> 'activities'
),

-- A directory that deletes a person puts digits before the address, so that it is free again: behind them it is
-- theirs.
with_address as (
    select
        source,
        user_id,
        case when {{ is_tombstone('email') }} then substring(email, 33) else email end as email,
        name,
        coalesce({{ is_tombstone('email') }}, false) as is_tombstone,
        first_seen_at,
        last_seen_at,
        last_confirmed_at
    from all_sightings
    where user_id in (select people.user_id from people)
)

select * from with_address
