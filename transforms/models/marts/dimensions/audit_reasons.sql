-- One row per thing or person that a mart of findings names, and reason for it: the long form of its reasons.
{{ config(materialized='view') }}
with

reasons as (
    {% for mart, subject, column in [
        ('connector_audit', 'connector_name', 'risk_reasons'),
        ('skill_audit', 'skill_name', 'risk_reasons'),
        ('plugin_audit', 'plugin_name', 'risk_reasons'),
        ('offboarding_check', 'user_id', 'finding'),
    ] %}
        select
            '{{ mart }}' as mart,
            {{ subject }} as subject_id,
            {{ parts_of_text(column, '; ') }} as reason
        from {{ ref(mart) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from reasons
