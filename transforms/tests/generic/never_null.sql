-- Rows where one of the columns is unknown.
{% test never_null(model, columns) %}
select *
from {{ model }}
where
    {% for column in columns %}{{ as_named(column) }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
