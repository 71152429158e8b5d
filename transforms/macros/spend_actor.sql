{#- Who a row of cost or usage is about, by the API's type; a type without its id, or one that we do not know, names
    nobody. -#}
{% macro spend_actor_type(prefix) -%}
    case
        when {{ prefix }}type = 'user_actor' and {{ prefix }}user_id is not null then 'user'
        when {{ prefix }}type = 'service_account_actor' then 'service_account'
        when {{ prefix }}type = 'api_actor' then 'api_key'
        when {{ prefix }}type = 'federated_actor' then 'federated'
        else 'unattributed'
    end
{%- endmacro %}

{#- The id that goes with the type. A federated identity without a subject is known by its account. -#}
{% macro spend_actor_id(prefix) -%}
    case {{ prefix }}type
        when 'user_actor' then {{ prefix }}user_id
        when 'service_account_actor' then {{ prefix }}service_account_id
        when 'api_actor' then {{ prefix }}api_key_id
        when 'federated_actor'
            then coalesce(
                {{ prefix }}subject,
                {{ prefix }}provider__signed_principal,
                {{ prefix }}provider__account_id,
                {{ prefix }}provider__subscription_id,
                {{ prefix }}provider__project_number,
                {{ prefix }}provider__issuer
            )
    end
{%- endmacro %}
