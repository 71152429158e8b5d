{#- The network of an IP address: the first three numbers of IPv4 (/24, the smallest that is routed on its own), the first
    three groups of IPv6 (/48, what one site gets); null of what is no address. -#}
{% macro network_of(column) -%}
    {{ return(adapter.dispatch('network_of')(column)) }}
{%- endmacro %}

{% macro default__network_of(column) -%}
    {{ no_body('network_of') }}
{%- endmacro %}

{#- DuckDB's type for addresses is an extension. `::` stands for as many zeros as are missing. -#}
{% macro duckdb__network_of(column) -%}
    case
        when {{ column }} like '%:%' then
            rtrim(regexp_extract(
                case
                    when {{ column }} like '%::%' then
                        coalesce(nullif(split_part({{ column }}, '::', 1), ''), '0')
                        || repeat(':0', greatest(8 - length(regexp_replace({{ column }}, '[^:]', '', 'g')), 1))
                        || ':' || split_part({{ column }}, '::', 2)
                    else {{ column }}
                end,
                '^([^:]*:[^:]*:[^:]*)', 1
            ), ':') || '::/48'
        when regexp_full_match({{ column }}, '[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+')
            then regexp_extract({{ column }}, '^([0-9]+[.][0-9]+[.][0-9]+)[.]', 1) || '.0/24'
    end
{%- endmacro %}

{#- Its type for addresses would end a build at what is none, and writes some otherwise. -#}
{% macro postgres__network_of(column) -%}
    case
        when {{ column }} like '%:%' then
            rtrim(coalesce(substring(
                case
                    when {{ column }} like '%::%' then
                        coalesce(nullif(split_part({{ column }}, '::', 1), ''), '0')
                        || repeat(':0', greatest(8 - length(regexp_replace({{ column }}, '[^:]', '', 'g')), 1))
                        || ':' || split_part({{ column }}, '::', 2)
                    else {{ column }}
                end
                from '^([^:]*:[^:]*:[^:]*)'
            ), ''), ':') || '::/48'
        when {{ column }} ~ '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$'
            then substring({{ column }} from '^([0-9]+[.][0-9]+[.][0-9]+)[.]') || '.0/24'
    end
{%- endmacro %}
