-- Rows where one of the columns is below 0; unknown is fine.
{% test never_negative(model, columns) %}
select *
from {{ model }}
where {{ columns | join(' < 0 or ') }} < 0
{% endtest %}
