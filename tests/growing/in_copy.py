"""Run inside the copy, as a process of its own: load what was added, and build it."""

import os
import sys
from datetime import date
from pathlib import Path

from pipelines.data_dir import DataDir
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from pipelines.reading.status import status
from pipelines.run import all_settings, sync
from pipelines.warehouse import warehouse_of
from sources.sandbox import Sandbox
from sources.session import Clock

MARTS = [
    "+gadget_usage_daily",
    *(f"+int_assistant_{name}" for name in ("people", "activity", "cost")),
]


def main(folder: Path, is_built: bool) -> None:
    data_dir, clock = DataDir(folder), Clock.at(date(2026, 1, 8))
    with Sandbox.empty(today="2026-01-08") as api:
        row = {"gadget_name": "saw", "color": "red", "distinct_user_count": 2}
        api.publish("gadgets", "2026-01-05", [row])
        os.environ |= {
            "SOURCES__CLAUDE_ANALYTICS__BASE_URL": api.url,
            "SOURCES__CLAUDE_ANALYTICS__API_KEY": api.api_key,
            "SOURCES__ACME__PEOPLE": "ada@example.com ben@example.com",
        }
        with data_dir.held("test"):
            result = sync(
                data_dir, clock, all_settings(), only=["gadgets", "acme"], transforms=False
            )
            print(result.sources["acme"].summary, result.problems)
            if is_built:
                pipeline = warehouse_pipeline(data_dir)
                create_absent_tables(pipeline)
                store_name_keys(pipeline)
                built = warehouse_of(data_dir).build({}, MARTS)
                print([test.name for test in built.failed_tests])
    print("status:", status(data_dir, clock)["sources"]["acme"]["row_count"])
    with warehouse_of(data_dir).read() as warehouse:
        print(warehouse.rows("select gadget_name, color from claude_raw.gadgets"))
        if is_built:
            print(warehouse.rows("select gadget_name, color from claude_marts.gadget_usage_daily"))
            query = "select email from claude_staging.int_assistant_people where vendor = 'acme'"
            print(sorted(row["email"] for row in warehouse.rows(query)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] == ["build"])
