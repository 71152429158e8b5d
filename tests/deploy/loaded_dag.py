"""Prints what Airflow makes of a file of DAGs; runs in Airflow's environment."""

import json
import sys

from airflow.dag_processing.dagbag import DagBag  # type: ignore[import-not-found]

bag = DagBag(sys.argv[1])
print(
    json.dumps(
        {
            "errors": bag.import_errors,
            "dags": {
                dag_id: {
                    "schedule": str(dag.schedule),
                    "runs_at_once": dag.max_active_runs,
                    "catches_up": dag.catchup,
                    "tasks": {
                        task.task_id: {
                            "after": sorted(task.upstream_task_ids),
                            "command": task.bash_command,
                            "folder": task.cwd,
                            "keeps_environment": task.append_env,
                            "retry_seconds": task.retry_delay.total_seconds(),
                        }
                        for task in dag.tasks
                    },
                }
                for dag_id, dag in bag.dags.items()
            },
        }
    )
)
