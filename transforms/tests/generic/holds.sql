-- Rows for which the expression is false; unknown is fine.
{% test holds(model, expression) %}
select *
from {{ model }}
where not ({{ expression }})
{% endtest %}
