{#- Steps of a `with` that say which line of a file is about an id on a day, where lines name things that can be renamed.

    They read two steps before them: `names`, one row per id and period with one name (id, key, valid_from_date,
    valid_until_date, both null where it is known without a period; first_seen_date, last_seen_date; received_date, the last day before on which another id had the
    name; and passed_on_date, the first day after on which another id had it), and `lines`, one row per line (key,
    valid_from_date, and the columns). The last step, `lines_in_force`, has one row per id and period with one line in
    force: the day's name decides; where it has no line in force, the id's other name nearest in time that has one;
    without any the columns are null. A line that begins after its name was passed on is about somebody else, and one
    that began before it was received counts after all others. Ends are not in their periods. -#}
{% macro lines_in_force(columns) -%}
lines_of_names as (
    select
        names.id,
        names.key,
        names.valid_from_date as name_from_date,
        names.valid_until_date as name_until_date,
        names.first_seen_date,
        names.last_seen_date,
        names.received_date,
        lines.valid_from_date as line_from_date,
        coalesce(
            lead(lines.valid_from_date) over (
                partition by names.id, names.key, names.first_seen_date order by lines.valid_from_date
            ),
            cast('9999-12-31' as date)
        ) as line_until_date,
        {% for column in columns %}lines.{{ column }}{{ ',
        ' if not loop.last }}{% endfor %}
    from names
    inner join lines
        on names.key = lines.key and lines.valid_from_date < coalesce(names.passed_on_date, cast('9999-12-31' as date))
),

-- Between two names the nearest one changes in the middle.
changes as (
    select
        id,
        cast('0001-01-01' as date) as change_date
    from names
    union distinct
    select
        id,
        cast('9999-12-31' as date) as change_date
    from names
    union distinct
    select
        id,
        valid_from_date as change_date
    from names
    where valid_from_date is not null
    union distinct
    select
        id,
        first_seen_date as change_date
    from names
    where valid_from_date is null
    union distinct
    select
        id,
        cast({{ dbt.dateadd('day', 1, 'last_seen_date') }} as date) as change_date
    from names
    where valid_from_date is null
    union distinct
    select
        id,
        cast({{ dbt.dateadd('day', 1, 'received_date') }} as date) as change_date
    from names
    where received_date is not null
    union distinct
    select
        id,
        line_from_date as change_date
    from lines_of_names
    union distinct
    select
        id,
        line_until_date as change_date
    from lines_of_names
    union distinct
    select
        names.id,
        cast(
            {{ dbt.dateadd(
                'day',
                quotient(days_from('names.last_seen_date', 'later_names.first_seen_date'), '2') ~ ' + 1',
                'names.last_seen_date'
            ) }} as date
        ) as change_date
    from names
    inner join names as later_names
        on names.id = later_names.id and names.last_seen_date < later_names.first_seen_date
),

stretches as (
    select
        id,
        change_date as valid_from_date,
        lead(change_date) over (partition by id order by change_date) as valid_until_date
    from changes
),

stretches_with_lines as (
    select
        stretches.id,
        stretches.valid_from_date,
        stretches.valid_until_date,
        {% for column in columns %}lines_of_names.{{ column }},
        {% endfor -%}
        row_number() over (
            partition by stretches.id, stretches.valid_from_date
            order by
                case
                    when lines_of_names.id is null then 5
                    when
                        stretches.valid_from_date >= lines_of_names.name_from_date
                        and stretches.valid_from_date < lines_of_names.name_until_date
                        then 1
                    when stretches.valid_from_date <= lines_of_names.received_date then 4
                    when lines_of_names.line_from_date <= lines_of_names.received_date then 3
                    else 2
                end asc,
                case
                    when stretches.valid_from_date < lines_of_names.first_seen_date
                        then {{ days_from('stretches.valid_from_date', 'lines_of_names.first_seen_date') }}
                    when stretches.valid_from_date > lines_of_names.last_seen_date
                        then {{ days_from('lines_of_names.last_seen_date', 'stretches.valid_from_date') }}
                    else 0
                end asc,
                lines_of_names.first_seen_date asc,
                lines_of_names.key asc
        ) as nearer_lines
    from stretches
    left join lines_of_names
        on
            stretches.id = lines_of_names.id
            and stretches.valid_from_date >= lines_of_names.line_from_date
            and stretches.valid_from_date < lines_of_names.line_until_date
    where stretches.valid_until_date is not null
),

lines_in_force as (
    select
        id,
        valid_from_date,
        valid_until_date,
        {% for column in columns %}{{ column }}{{ ',
        ' if not loop.last }}{% endfor %}
    from stretches_with_lines
    where nearer_lines = 1
)
{%- endmacro %}
