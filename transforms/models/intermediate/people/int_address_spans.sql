-- One row per person, source and span of days in which the source had the same e-mail address of them, by the first and
-- the last day on which it did. Of a source that names people by day, the spans of a person do not overlap.
with

sightings as (
    select
        source,
        user_id,
        {{ email_key('email') }} as email_key,
        is_tombstone,
        cast(first_seen_at as date) as first_seen_date,
        cast(
            case when last_confirmed_at > first_seen_at then last_confirmed_at else first_seen_at end as date
        ) as last_seen_date
    from {{ ref('int_sightings') }}
    where email is not null
),

people_with_addresses as (
    select distinct user_id from sightings
    where not is_tombstone
),

-- What a tombstone says of an address counts for people of whom nothing else is known.
known_sightings as (
    select
        sightings.source,
        sightings.user_id,
        sightings.email_key,
        sightings.first_seen_date,
        sightings.last_seen_date
    from sightings
    left join people_with_addresses on sightings.user_id = people_with_addresses.user_id
    where not sightings.is_tombstone or people_with_addresses.user_id is null
),

spans as (
    select
        source,
        user_id,
        email_key,
        min(first_seen_date) as first_seen_date,
        max(last_seen_date) as last_seen_date
    from known_sightings
    where source not in ({{ quoted(rosters_of_people()) }})
    group by source, user_id, email_key
),

spans_in_order as (
    select
        spans.*,
        max(last_seen_date) over (
            partition by source, user_id
            order by first_seen_date asc, last_seen_date asc, email_key asc
            rows between unbounded preceding and 1 preceding
        ) as seen_before_date
    from spans
),

-- Somebody who came back to an address has two spans of it, which only their days can tell apart.
entangled as (
    select distinct
        source,
        user_id
    from spans_in_order
    where seen_before_date > first_seen_date
),

address_days as (
    {% for source in sources_by_day() %}
        select
            '{{ source.source }}' as source,
            {{ source.user_id or 'user_id' }} as user_id,
            cast({{ source.seen_at or 'activity_date' }} as date) as seen_date,
            {{ source.email or 'email' }} as email,
            cast(max({{ source.seen_at or 'activity_date' }}) as timestamp) as seen_at
        from {{ ref('stg_' ~ source.source) }}
        where
            {{ source.email or 'email' }} is not null
            and {{ source.user_id or 'user_id' }} in (
                select entangled.user_id from entangled
                where entangled.source = '{{ source.source }}'
            )
        group by
            {{ source.user_id or 'user_id' }},
            cast({{ source.seen_at or 'activity_date' }} as date),
            {{ source.email or 'email' }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- One key per e-mail, not per day of it.
emails as (
    select
        email,
        {{ email_key('email') }} as email_key
    from address_days
    where not {{ is_tombstone('email') }}
    group by email
),

address_days_in_order as (
    select
        address_days.source,
        address_days.user_id,
        address_days.seen_at,
        address_days.seen_date,
        emails.email_key,
        lag(emails.email_key) over days_of_person as previous_email_key,
        lag(address_days.seen_date) over days_of_person as previous_seen_date
    from address_days
    inner join emails on address_days.email = emails.email
    window days_of_person as (
        partition by address_days.source, address_days.user_id
        order by address_days.seen_date, address_days.seen_at, emails.email_key
    )
),

changes as (
    select * from address_days_in_order
    where previous_email_key is null or previous_email_key <> email_key
),

last_days as (
    select
        source,
        user_id,
        max(last_seen_date) as last_seen_date
    from spans
    group by source, user_id
),

-- A span ends on the day before which another one begins, as far as there are days.
told_apart as (
    select
        changes.source,
        changes.user_id,
        changes.email_key,
        changes.seen_date as first_seen_date,
        coalesce(
            lead(changes.previous_seen_date) over (
                partition by changes.source, changes.user_id
                order by changes.seen_date, changes.seen_at, changes.email_key
            ),
            last_days.last_seen_date
        ) as last_seen_date
    from changes
    inner join last_days on changes.source = last_days.source and changes.user_id = last_days.user_id
),

-- What somebody was called is kept, also where the API by now has another address for all days.
kept_addresses as (
    select
        user_id,
        email,
        min(first_date) as first_seen_date,
        max(last_date) as last_seen_date
    from {{ ref('stg_known_addresses') }}
    where not {{ is_tombstone('email') }} and not is_of_days
    group by user_id, email
),

-- Asked again, the API names a day's people by what they are called by then: what it said first is nearest to the day.
first_told as (
    select
        user_id,
        {{ email_key('email') }} as email_key,
        first_date as first_seen_date,
        last_date as last_seen_date
    from {{ ref('stg_known_addresses') }}
    where not {{ is_tombstone('email') }} and is_of_days
),

all_spans as (
    select
        'known_addresses' as source,
        user_id,
        {{ email_key('email') }} as email_key,
        first_seen_date,
        last_seen_date
    from kept_addresses
    union all
    select
        'first_told' as source,
        first_told.*
    from first_told
    union all
    select spans.*
    from spans
    left join entangled on spans.source = entangled.source and spans.user_id = entangled.user_id
    where entangled.user_id is null
    union all
    select * from told_apart
    union all
    select * from known_sightings
    where source in ({{ quoted(rosters_of_people()) }})
)

select * from all_spans
