-- One row per month, further organisation and API key of the Console whose cost is charged where its owner was: whose
-- it is. A month that was closed before keys were charged so is not.
with

settings as (
    select * from {{ ref('int_chargeback_settings') }}
    where is_console_key_charged
),

owners as (
    select * from {{ ref('int_console_key_owners') }}
    where owner_user_id is not null
),

charged_keys as (
    select
        settings.month,
        owners.organization_id,
        owners.api_key_id,
        owners.owner_user_id
    from settings
    cross join owners
)

select * from charged_keys
