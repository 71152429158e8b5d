-- Rows of the grain that stand there more than once; nulls count as one value.
{% test unique_by(model, columns) %}
with

grains as (
    select
        {% for column in columns %}{{ as_named(column) }} as grain_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ model }}
)

select
    {% for column in columns %}grain_{{ loop.index }}, {% endfor %}
    count(*) as row_count
from grains
group by {% for column in columns %}grain_{{ loop.index }}{{ ', ' if not loop.last }}{% endfor %}
having count(*) > 1
{% endtest %}
