{#- What is known of an endpoint's day: the outcome of its newest fetch, else `lost` where the API answers for it no more.
    The command `status` reads this file too, so nothing in it is dbt's. -#}
{%- macro day_status(outcome, day, window_start) -%}
    case
        when {{ outcome }} is not null then {{ outcome }}
        when {{ day }} < {{ window_start }} then 'lost'
        else 'missing'
    end
{%- endmacro -%}
