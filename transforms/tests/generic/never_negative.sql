-- Rows where one of the columns is below 0; unknown is fine.
{% test never_negative(model, columns) %}
select *
from {{ model }}
where
    {% for column in columns %}{{ as_named(column) }} < 0{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
