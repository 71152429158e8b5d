-- One row per load package that dlt finished.
select
    load_id,
    status
from {{ source('claude_raw', '_dlt_loads') }}
