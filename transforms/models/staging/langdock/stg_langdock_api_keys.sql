-- One row per workspace, period and API key, by model where the export was grouped by it.
select
    slot,
    org_id,
    api_key_id,
    period_start as period_start_date,
    period_end as period_end_date,
    api_key_name,
    model,
    group_by,
    source_name,
    file_hash,
    undeclared_fields,
    requests as request_count,
    sum_prompt_tokens as prompt_tokens,
    sum_completion_tokens as completion_tokens,
    cached_prompt_tokens,
    cache_creation_tokens,
    no_cache_tokens,
    cast(total_cost_usd as decimal(38, 8)) as cost_usd
from {{ counting_rows('langdock_api_keys', 'slot') }}
