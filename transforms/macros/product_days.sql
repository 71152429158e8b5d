{#-
    One row per UTC day, user and product, used or not, from days that have all products in one row. Of each product,
    `products` names its column for each of the counts, where it has one, for is_active, and `also` further counts that
    say that it was used.
-#}
{% macro product_days(days, products, counts) -%}
    {%- for product, has in products.items() -%}
    {%- set uses = [] -%}
    select
        activity_date,
        user_id,
        '{{ product }}' as product,
        {%- for count in counts %}
        {%- if count in has %}
        {%- do uses.append(has[count]) %}
        {{ has[count] }} as {{ count }},
        {%- else %}
        cast(null as bigint) as {{ count }},
        {%- endif %}
        {%- endfor %}
        {{ has['is_active'] }} as is_active,
        (
            {%- for count in uses + has.get('also', []) %}
            {{ 'or ' if not loop.first }}{{ count }} > 0
            {%- endfor %}
        ) as is_used
    from {{ days }}
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
{%- endmacro %}
