-- One row per API key and scope that it has.
{{ config(materialized='view') }}
with

keys as (
    select
        api_key_id,
        '{"scopes": ' || scopes || '}' as scopes
    from {{ ref('api_key_hygiene') }}
    where scopes is not null
),

scopes_of_keys as (
    select
        api_key_id,
        {{ json_elements('scopes', 'scopes') }} as scope
    from keys
)

select distinct
    api_key_id,
    scope
from scopes_of_keys
