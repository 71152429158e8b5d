-- Groups whose sums are not those of the other model; a group that one of them lacks adds up to 0 there.
{% test adds_up_to(model, other, by, columns) %}
with

both_sides as (
    select
        {{ by | join(', ') }},
        {% for ours, theirs in columns.items() %}{{ ours }} as {{ ours }}{{ ',' if not loop.last }} {% endfor %}
    from {{ model }}
    union all
    select
        {{ by | join(', ') }},
        {% for ours, theirs in columns.items() %}-{{ theirs }} as {{ ours }}{{ ',' if not loop.last }} {% endfor %}
    from {{ other }}
)

select {{ by | join(', ') }}
from both_sides
group by {{ by | join(', ') }}
having {% for ours in columns %}sum({{ ours }}) <> 0{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
