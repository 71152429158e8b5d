"""How long chargeback takes: `python -m tests.transforms.chargeback_speed [people] [months]`."""

import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines.warehouse.dbt import run_dbt
from pipelines.warehouse.duckdb import target
from tests.transforms.raw_tables import RawWarehouse, raw_tables

MARTS = ("spend_daily", "chargeback_monthly", "chargeback_reconciliation_monthly")


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Rows of spend, seconds of clock and processor for it and chargeback, peak memory in bytes."""

    rows: int
    seconds: float
    processor_seconds: float
    peak_bytes: int
    difference_usd: Decimal


def speed(people: int, months: int, folder: Path) -> Speed:
    """Makes a row of cost and of usage per person, month, 3 products and 5 models; builds."""
    raw = RawWarehouse(folder / "warehouse.duckdb")
    raw.connection.execute("set memory_limit = '2GB'; set preserve_insertion_order = false")
    made = f"""
        select
            (date '2026-01-01' + to_months(m::integer))::date
                + (hash(u, m, p, l) % 28)::integer as moment,
            'user_' || lpad(u::text, 8, '0') as user_id,
            (['chat', 'claude_code', 'cowork'])[p + 1] as product,
            'model-' || l as model,
            hash(u, m, p, l) as h
        from range({people}) as r(u), range({months}) as s(m), range(3) as t(p), range(5) as v(l)
    """
    group = """
        moment::date as activity_date, 'user_actor' as group__actor__type,
        user_id as group__actor__user_id, user_id || '@example.com' as group__actor__email_address,
        product as group__product, model as group__model
    """
    made_columns = {
        "costs": f"""{group}, 'tokens' as group__cost_type,
            cast((h % 100000)::bigint * 0.001 as decimal(38, 12)) as cost__amount,
            cast((h % 200000)::bigint * 0.001 as decimal(38, 12)) as cost__list_amount,
            'USD' as cost__currency""",
        "usage": f"{group}, (h % 1000)::bigint as usage__output_tokens",
        "cost_totals": """moment::date as activity_date, product as group__product,
            cast(sum((h % 100000)::bigint * 0.001) as decimal(38, 12)) as cost__amount,
            cast(sum((h % 200000)::bigint * 0.001) as decimal(38, 12)) as cost__list_amount,
            'USD' as cost__currency
        """,
    }
    absent = {"version": "0"}
    for table, columns in made_columns.items():
        grouped = " group by moment::date, product" if table == "cost_totals" else ""
        raw.connection.execute(
            f"create table claude_raw.made_{table} as select {columns} from ({made}){grouped}"
        )
        there = {
            name
            for (name, *_) in raw.connection.execute(f"describe claude_raw.made_{table}").fetchall()
        }
        kinds = {name: kind.removesuffix(" not null") for name, kind in raw_tables()[table].items()}
        every = ", ".join(
            f"cast({name if name in there else absent.get(name, 'null')} as {kind}) as {name}"
            for name, kind in kinds.items()
        )
        # The other columns are null, which a view says faster than millions of rows.
        raw.connection.execute(f"drop table claude_raw.{table}")
        raw.connection.execute(
            f"create view claude_raw.{table} as select {every} from claude_raw.made_{table}"
        )
    for number in range(months * 31):
        day = date(2026, 1, 1) + timedelta(days=number)
        for endpoint in made_columns:
            raw.fetch(endpoint, day, settles_after_days=30, version=0)
    raw.connection.execute(
        f"""
        insert into claude_raw.org_chart by name
        select
            'user_' || lpad(u::text, 8, '0') || '@example.com' as email,
            'Department ' || hash(u, p) % 300 as department,
            'cc' || hash(u, p) % 300 as cost_center,
            (date '2026-01-15' + to_months(6 * p::integer))::date as valid_from
        from range({people}) as r(u), range(2) as s(p)
        """
    )
    raw.close()
    before = time.process_time()
    results = run_dbt(
        ["run", "--select", *(f"+{mart}" for mart in MARTS)], target(raw.path, folder), {}
    )
    with duckdb.connect(str(raw.path), read_only=True) as warehouse:
        [(rows,)] = warehouse.execute("select count(*) from claude_marts.spend_daily").fetchall()
        [(difference,)] = warehouse.execute(
            "select max(abs(difference_usd)) from claude_marts.chargeback_reconciliation_monthly"
        ).fetchall()
    return Speed(
        rows=rows,
        seconds=sum(result.execution_time for result in results),
        processor_seconds=time.process_time() - before,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        difference_usd=difference,
    )


if __name__ == "__main__":
    people, months = (int(text) for text in (sys.argv[1:] or ("50000", "12")))
    with tempfile.TemporaryDirectory() as name:
        measured = speed(people, months, Path(name))
    print(
        f"{measured.rows:,} rows of spend: {measured.seconds:.1f} s"
        f" ({measured.processor_seconds:.1f} s of processor),"
        f" peak {measured.peak_bytes / 1e9:.2f} GB, difference {measured.difference_usd:f} USD"
    )
