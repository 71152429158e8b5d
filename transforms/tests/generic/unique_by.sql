-- Rows of the grain that stand there more than once; nulls count as one value.
{% test unique_by(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
