"""The nightly run as a DAG of Airflow 3. Copy it into the folder of DAGs.

Airflow and claude-warehouse each have an environment of their own: COMMAND is the whole path.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

COMMAND = "/opt/claude-warehouse/bin/claude-warehouse"
FOLDER = "/var/lib/claude-warehouse"
"""Where `claude-warehouse init` was run: it holds .dlt and the data folder."""

with DAG(
    dag_id="claude_warehouse",
    description="Load Claude usage data, build its marts and publish them",
    # UTC; the API opens a day at 10:30. `sync` gets no date: it decides by itself what is due.
    schedule="45 10 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # One at a time: the warehouse has one writer, and a second run ends with exit code 3.
    max_active_runs=1,
    tags=["claude-warehouse"],
) as dag:
    sync = BashOperator(
        task_id="sync",
        # 4: done, but some rows could not be read. `skip_on_exit_code` would skip what follows.
        bash_command=f"{COMMAND} sync || [ $? -eq 4 ]",
        cwd=FOLDER,
        # What the worker has stays, such as a proxy; secrets are in .dlt/secrets.toml.
        append_env=True,
        env={"LOGGING__FORMAT": "json"},
        execution_timeout=timedelta(hours=6),
        # Longer than a run that was told to stop takes to end.
        retry_delay=timedelta(minutes=15),
        retries=2,
    )
    check = BashOperator(
        task_id="check",
        # 1: stale, 2: wrong.
        bash_command=f"{COMMAND} check",
        cwd=FOLDER,
        append_env=True,
        trigger_rule="all_done",
        retries=0,
    )
    sync >> check
