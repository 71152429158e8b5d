-- One row per revision of an endpoint's day: how many of its rows came, went and changed, and what that moved. Of rows
-- that have the same key, as many changed as have others in their place.
{% set endpoints = compared_endpoints() -%}
with

revisions as (
    select * from {{ ref('int_day_revisions') }}
),

versions as (
    select
        endpoint,
        fetch_number,
        version,
        1 as new_count,
        0 as old_count
    from revisions
    union all
    select
        endpoint,
        fetch_number,
        previous_version as version,
        0 as new_count,
        1 as old_count
    from revisions
),

{% for endpoint, declared in endpoints.items() -%}
    {% set stored_columns = 'stored.' ~ declared.columns | join(', stored.') ~ ', stored.undeclared_fields' -%}
    {{ endpoint }}_contents as (
        select
            versions.fetch_number,
            {{ stored_columns }},
            sum(versions.new_count) as new_count,
            sum(versions.old_count) as old_count
        from {{ source('claude_raw', endpoint) }} as stored
        inner join versions on stored.version = versions.version
        where versions.endpoint = '{{ endpoint }}'
        group by
            versions.fetch_number,
            {{ stored_columns }}
    ),

    {{ endpoint }}_keys as (
        select
            fetch_number,
            sum(new_count) as new_count,
            sum(old_count) as old_count,
            sum(case when new_count > old_count then new_count - old_count else 0 end) as other_new_count,
            sum(case when old_count > new_count then old_count - new_count else 0 end) as other_old_count,
            {% if endpoint == 'users' -%}
                max(case when new_count > 0 and ({{ was_active() }}) then 1 else 0 end)
                - max(case when old_count > 0 and ({{ was_active() }}) then 1 else 0 end) as active_users_change,
                sum((new_count - old_count) * ({{ message_sum() }})) as message_count_change,
            {% else -%}
                cast(null as bigint) as active_users_change,
                cast(null as bigint) as message_count_change,
            {% endif -%}
            {% if declared.measure -%}
                sum((new_count - old_count) * {{ cents_to_usd(declared.measure) }}) as spend_usd_change
            {% else -%}
                cast(null as decimal(38, 8)) as spend_usd_change
            {% endif %}
        from {{ endpoint }}_contents
        group by fetch_number, {{ declared.key | join(', ') }}
    ),

{% endfor -%}
keys as (
    {% for endpoint in endpoints -%}
        select
            fetch_number,
            new_count,
            old_count,
            other_new_count,
            other_old_count,
            active_users_change,
            message_count_change,
            spend_usd_change
        from {{ endpoint }}_keys
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

by_revision as (
    select
        fetch_number,
        sum(new_count) as new_count,
        sum(old_count) as old_count,
        sum(case when other_new_count > other_old_count then other_new_count - other_old_count else 0 end)
            as rows_added,
        sum(case when other_old_count > other_new_count then other_old_count - other_new_count else 0 end)
            as rows_removed,
        sum(case when other_new_count < other_old_count then other_new_count else other_old_count end)
            as rows_changed,
        sum(active_users_change) as active_users_change,
        sum(message_count_change) as message_count_change,
        sum(spend_usd_change) as spend_usd_change
    from keys
    group by fetch_number
)

select
    fetch_number,
    cast(new_count as bigint) as new_count,
    cast(old_count as bigint) as old_count,
    cast(rows_added as bigint) as rows_added,
    cast(rows_removed as bigint) as rows_removed,
    cast(rows_changed as bigint) as rows_changed,
    cast(active_users_change as bigint) as active_users_change,
    cast(message_count_change as bigint) as message_count_change,
    cast(spend_usd_change as decimal(38, 8)) as spend_usd_change
from by_revision
