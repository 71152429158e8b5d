-- One row per workspace, period, model, provider and kind of key, by source or deployment where
-- the export was grouped by it.
select
    slot,
    org_id,
    name as model,
    provider,
    period_start as period_start_date,
    period_end as period_end_date,
    source,
    deployment,
    group_by,
    source_name,
    file_hash,
    undeclared_fields,
    requests as request_count,
    sum_prompt_tokens as prompt_tokens,
    sum_completion_tokens as completion_tokens,
    sum_cached_prompt_tokens as cached_prompt_tokens,
    sum_cache_creation_tokens as cache_creation_tokens,
    no_cache_tokens,
    cast(total_cost_usd as decimal(38, 8)) as cost_usd,
    bring_your_keys as is_own_key
from {{ counting_rows('langdock_models', 'slot') }}
