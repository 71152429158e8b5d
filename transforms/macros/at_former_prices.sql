{#- An amount and its tokens in two columns each: of the month itself, and of the month before. -#}
{% macro of_month(day, amount, tokens) -%}
    {%- set is_former = day ~ ' < months.month' -%}
    case when {{ is_former }} then {{ amount }} else 0 end as former_usd,
    case when {{ is_former }} then 0 else {{ amount }} end as usd,
    case when {{ is_former }} then coalesce({{ tokens }}, 0) else 0 end as former_tokens,
    case when {{ is_former }} then 0 else coalesce({{ tokens }}, 0) end as tokens
{%- endmacro %}

{#- What each month's tokens would have cost at what one of their kind cost in the month before, to the nearest
    0.00000001 USD, where these columns tell kinds apart. A kind that the month before lacks costs what it costs. -#}
{% macro at_former_prices(rows, columns, condition='true') -%}
    select
        month,
        sum(
            case
                when former_tokens > 0
                    then {{ units_to_usd(
                        'case when former_usd < 0 then -1 else 1 end * '
                        ~ quotient(
                            '2 * abs(' ~ usd_to_units('former_usd') ~ ') * ' ~ exact_integer('tokens')
                            ~ ' + ' ~ exact_integer('former_tokens'),
                            '2 * ' ~ exact_integer('former_tokens')
                        )
                    ) }}
                else usd
            end
        ) as usd
    from (
        select
            month,
            sum(former_usd) as former_usd,
            sum(usd) as usd,
            sum(former_tokens) as former_tokens,
            sum(tokens) as tokens
        from {{ rows }}
        where {{ condition }}
        group by {{ (['month'] + columns) | join(', ') }}
    ) as kinds
    group by month
{%- endmacro %}
