-- One row per sign-in and way in which it is unusual for the person.
with

events as (
    select * from {{ ref('security_events') }}
),

event_types as (
    select * from {{ ref('int_event_types') }}
),

departures as (
    select * from {{ ref('int_departures') }}
),

sign_ins as (
    select
        events.event_id,
        events.user_id,
        events.actor_email,
        events.event_type,
        events.ip_address,
        events.user_agent,
        {{ network_of('events.ip_address') }} as network,
        coalesce(
            {{ json_text('events.attributes', 'country_code') }}, {{ json_text('events.attributes', 'country') }}
        ) as country,
        cast(extract(hour from events.event_at) as integer) as utc_hour,
        events.event_at
    from events
    inner join event_types on events.event_type = event_types.event_type
    where event_types.sign_in = 'succeeded' and events.user_id is not null
),

-- What is compared with the person's own past: hour, network and, where the feed has it, country.
sightings as (
    select
        'off_hours' as anomaly,
        event_id,
        user_id,
        cast(utc_hour as {{ dbt.type_string() }}) as observed_value,
        event_at
    from sign_ins
    union all
    select
        'new_network' as anomaly,
        event_id,
        user_id,
        network as observed_value,
        event_at
    from sign_ins
    where network is not null
    union all
    select
        'new_country' as anomaly,
        event_id,
        user_id,
        country as observed_value,
        event_at
    from sign_ins
    where country is not null
),

numbered_sightings as (
    select
        sightings.*,
        row_number() over (partition by anomaly, user_id order by event_at, event_id) - 1 as earlier_sign_in_count,
        row_number() over (partition by anomaly, user_id, observed_value order by event_at, event_id)
            as sighting_number
    from sightings
),

-- A value is seen once from its first sighting until its second.
with_once_seen as (
    select
        numbered_sightings.*,
        coalesce(sum(case sighting_number when 1 then 1 when 2 then -1 else 0 end) over (
            partition by anomaly, user_id
            order by event_at, event_id
            rows between unbounded preceding and 1 preceding
        ), 0) as once_seen_count,
        coalesce(sum(case sighting_number when 1 then 1 else 0 end) over (
            partition by anomaly, user_id
            order by event_at, event_id
            rows between unbounded preceding and 1 preceding
        ), 0) as earlier_value_count
    from numbered_sightings
),

new_values as (
    select
        with_once_seen.*,
        {{ chance_of_a_new_value('once_seen_count', 'earlier_sign_in_count') }} as chance
    from with_once_seen
    where sighting_number = 1
),

first_sightings as (
    select
        user_id,
        utc_hour,
        min(event_at) as first_seen_at
    from sign_ins
    group by user_id, utc_hour
),

-- An hour is not unusual if the one before or after it is usual: nobody comes on the minute.
hours_beside_known_ones as (
    select distinct new_values.event_id
    from new_values
    inner join first_sightings
        on
            new_values.user_id = first_sightings.user_id
            and new_values.event_at > first_sightings.first_seen_at
            and mod(first_sightings.utc_hour + 25 - cast(new_values.observed_value as integer), 24) in (0, 2)
    where new_values.anomaly = 'off_hours'
),

unusual_values as (
    select
        event_id,
        anomaly,
        observed_value,
        earlier_sign_in_count,
        cast(earlier_value_count as bigint) as earlier_value_count,
        chance,
        cast(null as timestamp) as contradicted_at
    from new_values
    where
        chance <= {{ var('audit_significance') }}
        and not (
            anomaly = 'off_hours'
            and event_id in (select hours_beside_known_ones.event_id from hours_beside_known_ones)
        )
),

sign_ins_after_departure as (
    select
        sign_ins.event_id,
        'impossible_sequence' as anomaly,
        'signed in after leaving' as observed_value,
        cast(null as bigint) as earlier_sign_in_count,
        cast(null as bigint) as earlier_value_count,
        cast(null as {{ float_type() }}) as chance,
        departures.left_at as contradicted_at
    from sign_ins
    inner join departures on sign_ins.user_id = departures.user_id and sign_ins.event_at > departures.left_at
),

sign_ins_in_order as (
    select
        event_id,
        country,
        lag(country) over (partition by user_id order by event_at, event_id) as previous_country,
        lag(event_at) over (partition by user_id order by event_at, event_id) as previous_event_at,
        event_at
    from sign_ins
    where country is not null
),

impossible_journeys as (
    select
        event_id,
        'impossible_sequence' as anomaly,
        previous_country || ' then ' || country as observed_value,
        cast(null as bigint) as earlier_sign_in_count,
        cast(null as bigint) as earlier_value_count,
        cast(null as {{ float_type() }}) as chance,
        previous_event_at as contradicted_at
    from sign_ins_in_order
    where
        country <> previous_country
        and event_at < {{ dbt.dateadd('minute', var('audit_shortest_journey_minutes'), 'previous_event_at') }}
),

anomalies as (
    select * from unusual_values
    union all
    select * from sign_ins_after_departure
    union all
    select impossible_journeys.* from impossible_journeys
    -- Once per sign-in.
    where impossible_journeys.event_id not in (select sign_ins_after_departure.event_id from sign_ins_after_departure)
),

with_sign_in as (
    select
        anomalies.event_id,
        anomalies.anomaly,
        cast(sign_ins.event_at as date) as event_date,
        sign_ins.user_id,
        sign_ins.actor_email as email,
        sign_ins.event_type,
        sign_ins.ip_address,
        sign_ins.network,
        sign_ins.country,
        sign_ins.user_agent,
        anomalies.observed_value,
        anomalies.earlier_sign_in_count,
        anomalies.earlier_value_count,
        anomalies.chance,
        sign_ins.event_at,
        anomalies.contradicted_at
    from anomalies
    inner join sign_ins on anomalies.event_id = sign_ins.event_id
)

select * from with_sign_in
