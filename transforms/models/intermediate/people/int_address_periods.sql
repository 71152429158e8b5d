-- One row per person and period in which they had one e-mail address; the periods of a person who has any cover all
-- days. The end is not in the period. Before the first sighting it is the first address, after the last one the last,
-- and between two of them the earlier one. And one row without a period per address that a source has of the person for
-- days on which surer ones have another.
with

spans as (
    select * from {{ ref('int_address_spans') }}
),

sources as (
    {% for roster in rosters_of_people() %}
        select
            '{{ roster }}' as source,
            {{ loop.index }} as place,
            true as is_roster
        union all
    {% endfor %}
    {% for source in sources_by_day() %}
        select
            '{{ source.source }}' as source,
            {{ 10 * loop.index }} as place,
            false as is_roster
        union all
    {% endfor %}
    select
        'first_told' as source,
        15 as place,
        false as is_roster
),

-- On days between two rosters that agree nothing else decides. On the day of the last roster that has an address, and
-- where there is no roster, the others do. What was kept is no evidence of a day.
evidence as (
    select
        spans.user_id,
        spans.email_key,
        sources.place,
        spans.first_seen_date,
        cast({{ dbt.dateadd('day', -1, 'spans.last_seen_date') }} as date) as last_seen_date
    from spans
    inner join sources on spans.source = sources.source
    where sources.is_roster and spans.first_seen_date < spans.last_seen_date
    union all
    select
        spans.user_id,
        spans.email_key,
        case when sources.is_roster then 100 else 0 end + sources.place as place,
        spans.first_seen_date,
        spans.last_seen_date
    from spans
    inner join sources on spans.source = sources.source
),

boundaries as (
    select
        user_id,
        first_seen_date as boundary_date
    from evidence
    union distinct
    select
        user_id,
        cast({{ dbt.dateadd('day', 1, 'last_seen_date') }} as date) as boundary_date
    from evidence
),

segments as (
    select
        user_id,
        boundary_date as first_date,
        lead(boundary_date) over (partition by user_id order by boundary_date) as next_date
    from boundaries
),

segments_with_address as (
    select
        segments.user_id,
        segments.first_date,
        segments.next_date,
        evidence.email_key,
        row_number() over (
            partition by segments.user_id, segments.first_date
            order by evidence.place asc, evidence.first_seen_date desc, evidence.email_key asc
        ) as better_evidence
    from segments
    inner join evidence
        on
            segments.user_id = evidence.user_id
            and segments.first_date >= evidence.first_seen_date
            and segments.first_date <= evidence.last_seen_date
),

segments_with_change as (
    select
        user_id,
        first_date,
        next_date,
        email_key,
        case
            when lag(email_key) over (partition by user_id order by first_date) = email_key then 0
            else 1
        end as is_change
    from segments_with_address
    where better_evidence = 1
),

segments_numbered as (
    select
        segments_with_change.*,
        sum(is_change) over (partition by user_id order by first_date) as address_number
    from segments_with_change
),

addresses as (
    select
        user_id,
        email_key,
        address_number,
        min(first_date) as first_seen_date,
        cast({{ dbt.dateadd('day', -1, 'max(next_date)') }} as date) as last_seen_date
    from segments_numbered
    group by user_id, address_number, email_key
),

outdone_addresses as (
    select
        spans.user_id,
        spans.email_key,
        cast(null as bigint) as address_number,
        min(spans.first_seen_date) as first_seen_date,
        max(spans.last_seen_date) as last_seen_date
    from spans
    left join addresses on spans.user_id = addresses.user_id and spans.email_key = addresses.email_key
    where addresses.user_id is null
    group by spans.user_id, spans.email_key
),

all_addresses as (
    select * from addresses
    union all
    select * from outdone_addresses
),

-- Whose address it was before its first day as this person's, and whose after its last one.
other_people as (
    select
        all_addresses.user_id,
        all_addresses.email_key,
        all_addresses.first_seen_date,
        max(
            case when others.last_seen_date < all_addresses.first_seen_date then others.last_seen_date end
        ) as received_date,
        min(
            case when others.first_seen_date > all_addresses.last_seen_date then others.first_seen_date end
        ) as passed_on_date
    from all_addresses
    inner join addresses as others
        on all_addresses.email_key = others.email_key and all_addresses.user_id <> others.user_id
    group by all_addresses.user_id, all_addresses.email_key, all_addresses.first_seen_date
),

periods as (
    select
        all_addresses.user_id,
        case
            when all_addresses.address_number = 1 then cast('0001-01-01' as date)
            when all_addresses.address_number > 1 then all_addresses.first_seen_date
        end as valid_from_date,
        case
            when all_addresses.address_number is not null
                then coalesce(
                    lead(all_addresses.first_seen_date) over (
                        partition by all_addresses.user_id, all_addresses.address_number is null
                        order by all_addresses.address_number
                    ),
                    cast('9999-12-31' as date)
                )
        end as valid_until_date,
        all_addresses.email_key,
        all_addresses.first_seen_date,
        all_addresses.last_seen_date,
        other_people.received_date,
        other_people.passed_on_date
    from all_addresses
    left join other_people
        on
            all_addresses.user_id = other_people.user_id
            and all_addresses.email_key = other_people.email_key
            and all_addresses.first_seen_date = other_people.first_seen_date
)

select * from periods
