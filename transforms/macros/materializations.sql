{#
    Tables and views of DuckDB, replaced in one statement: readers of the file see the old one or the new one.
    dbt's own way creates, renames and drops, which takes longer than building most of our models.
#}
{% materialization table, adapter='duckdb' %}
    {{ return(replaced_in_one_statement('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(replaced_in_one_statement('view')) }}
{% endmaterialization %}

{% macro replaced_in_one_statement(kind) %}
    {% set target = this.incorporate(type=kind) %}
    {% set existing = load_cached_relation(this) %}
    {% if existing is not none and existing.type != kind %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        create or replace {{ kind }} {{ target }} as (
            {{ compiled_code }}
        );
    {% endcall %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{# Every described column exists, or the model fails: dbt's own way first asks which ones do. #}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
    {% for name in column_dict %}
        comment on column {{ relation }}.{{ name }} is {{ duckdb_escape_comment(column_dict[name]['description']) }};
    {% endfor %}
{% endmacro %}
