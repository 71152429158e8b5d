"""The numbers of what was collected: a file is a version, each of its periods a fetch."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from sources.hints import of_version
from sources.langdock.collect import Collected, LedgerRow


def number(
    collected: Collected,
    ledger: Sequence[LedgerRow],
    *,
    noted_at: datetime,
    run_number: int,
    numbers: Iterator[int],
) -> None:
    """Write versions and places in the order of fetches into what was collected.

    `ledger` is langdock_exports as it stood before. A period whose rows are stored keeps its
    version, whatever becomes of it.
    """
    versions: dict[str, int] = defaultdict(lambda: next(numbers))
    before = {row["export_id"]: row for row in ledger}
    for rows in (*collected.rows.values(), collected.rejected):
        for row in rows:
            row |= of_version(versions[row["file_hash"]])
    for row in collected.rejected:
        del row["file_hash"]
    for row in collected.ledger:
        known = before.get(row["export_id"])
        is_stored_now = row["outcome"] == "loaded" and not (known and known["is_loaded"])
        version = known["version"] if known and not is_stored_now else None
        row |= {
            "run_number": run_number,
            "version": version or versions[row["file_hash"]],
            "fetch_number": next(numbers),
            "noted_at": noted_at,
        }
