{#- The network of an IP address: the first three numbers of IPv4 (/24, the smallest that is routed on its own), the first
    three groups of IPv6 (/48, what one site gets). -#}
{% macro network_of(column) -%}
    {{ return(adapter.dispatch('network_of')(column)) }}
{%- endmacro %}

{% macro default__network_of(column) -%}
    cast(
        network(set_masklen(cast({{ column }} as inet), case when {{ column }} like '%:%' then 48 else 24 end)) as text
    )
{%- endmacro %}

{#- DuckDB's type for addresses is an extension. `::` stands for as many zeros as are missing. -#}
{% macro duckdb__network_of(column) -%}
    case
        when {{ column }} like '%:%' then
            rtrim(regexp_extract(
                case
                    when {{ column }} like '%::%' then
                        split_part({{ column }}, '::', 1)
                        || repeat(':0', greatest(8 - length(regexp_replace({{ column }}, '[^:]', '', 'g')), 1))
                        || ':' || split_part({{ column }}, '::', 2)
                    else {{ column }}
                end,
                '^([^:]*:[^:]*:[^:]*)', 1
            ), ':') || '::/48'
        when regexp_full_match({{ column }}, '\d+\.\d+\.\d+\.\d+')
            then regexp_extract({{ column }}, '^(\d+\.\d+\.\d+)\.', 1) || '.0/24'
    end
{%- endmacro %}
