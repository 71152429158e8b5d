"""Prints each asset of a file of Dagster's definitions and what it waits for; runs in Dagster's
environment."""

import json
import runpy
import sys

graph = runpy.run_path(sys.argv[1])["defs"].resolve_asset_graph()
print(
    json.dumps(
        {
            key.to_user_string(): sorted(
                parent.to_user_string() for parent in graph.get(key).parent_keys
            )
            for key in graph.get_all_asset_keys()
        }
    )
)
