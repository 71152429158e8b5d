"""How long the rolling marts take: `python -m tests.transforms.rolling_speed [people] [days]`."""

import resource
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipelines.warehouse.dbt import run_dbt
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, COWORK, TAG, UNIFIED_CHAT
from tests.transforms.raw_tables import RawWarehouse, raw_tables

CODE = "claude_code_metrics__core_metrics__distinct_session_count"
OFFICE = "office_metrics__excel__message_count"
DESIGN = "design_metrics__message_count"
SCIENCE = "science_metrics__message_count"
MARTS = ("active_users_daily", "product_active_users_daily")


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds that dbt needed for the two marts and what they stand on; peak memory in bytes."""

    user_days: int
    seconds: float
    peak_bytes: int


def speed(people: int, days: int, folder: Path) -> Speed:
    """Makes a row per person and day, with every product in use, and builds the rolling marts."""
    raw = RawWarehouse(folder / "warehouse.duckdb")
    raw.connection.execute("set memory_limit = '2GB'; set preserve_insertion_order = false")
    raw.connection.execute(
        f"""
        create table claude_raw.made_users as
        select
            date '2026-01-01' + d::integer as activity_date,
            'user_' || md5(u::text)[:24] as user__id,
            (case when h % 3 > 0 then h % 20 else 0 end)::bigint as {CHAT},
            (case when h // 64 % 3 = 0 then 1 else 0 end)::bigint as {CODE},
            (case when h // 512 % 5 = 0 then 1 else 0 end)::bigint as {COWORK},
            (case when h // 4096 % 5 = 0 then 1 else 0 end)::bigint as {OFFICE},
            (case when h // 32768 % 10 = 0 then 1 else 0 end)::bigint as {DESIGN},
            (case when h // 262144 % 10 = 0 then 1 else 0 end)::bigint as {SCIENCE},
            (case when h // 2097152 % 10 = 0 then 1 else 0 end)::bigint as {TAG},
            (case when u % 10 = 0 then h % 2 else 0 end)::bigint as {UNIFIED_CHAT}
        from (select d, u, hash(u, d) as h from range({days}) as r(d), range({people}) as s(u))
        """
    )
    # The other columns are null, which a view says faster than 36,500,000 rows.
    made = {
        name for (name, *_) in raw.connection.execute("describe claude_raw.made_users").fetchall()
    }
    columns = ", ".join(
        name
        if name in made
        else f"{'0' if name == 'version' else 'null'}::{kind.removesuffix(' not null')} as {name}"
        for name, kind in raw_tables()["users"].items()
    )
    raw.connection.execute("drop table claude_raw.users")
    raw.connection.execute(
        f"create view claude_raw.users as select {columns} from claude_raw.made_users"
    )
    for number in range(days):
        raw.fetch("users", date(2026, 1, 1) + timedelta(days=number), version=0)
    raw.close()
    results = run_dbt(
        ["run", "--select", *(f"+{mart}" for mart in MARTS)], target(raw.path, folder), {}
    )
    return Speed(
        user_days=people * days,
        seconds=sum(result.execution_time for result in results),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


if __name__ == "__main__":
    people, days = (int(text) for text in (sys.argv[1:] or ("100000", "365")))
    with tempfile.TemporaryDirectory() as name:
        measured = speed(people, days, Path(name))
    print(
        f"{measured.user_days:,} user days: {measured.seconds:.1f} s,"
        f" peak {measured.peak_bytes / 1e9:.2f} GB"
    )
