"""What a revision of a day changed: rows, people, messages and money."""

from decimal import Decimal
from pathlib import Path

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, queries, user
from tests.transforms.raw_tables import RawWarehouse

DAY = "2026-01-05"


def cost(person: str | None, cents: str) -> dict[str, str | None]:
    kind = "user_actor" if person else None
    return {
        "group__actor__type": kind, "group__actor__user_id": person, "group__product": "chat",
        "cost__amount": cents, "cost__currency": "USD",
    }  # fmt: skip


def test_each_revision_says_what_came_went_and_changed_and_what_that_moved(tmp_path: Path) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    for number, (people, costs) in enumerate(
        [
            (
                [user("ana", CHAT, 2), user("ben", CHAT, 1), user("cho", CHAT, 0)],
                [cost("ana", "100"), cost(None, "50"), cost(None, "50"), cost(None, "7")],
            ),
            (
                [user("ana", CHAT, 5), user("cho", CHAT, 1), user("dee", CHAT, 1)],
                # Rows without an actor have a key in common: one stays, one moves, one is gone.
                [cost("ana", "100"), cost(None, "50"), cost(None, "60.5")],
            ),
            ([], []),
        ]
    ):
        for endpoint, rows in (("users", people), ("costs", costs)):
            raw.fetch(
                endpoint, DAY, rows, rows_hash=str(number),
                fetched_at=f"2026-01-{8 + number:02}T03:00:00+00:00",
            )  # fmt: skip
    raw.fetch("users", DAY, rows_hash="2", fetched_at="2026-01-12T03:00:00+00:00", version=-1)
    raw.close()

    result = transform(target(raw.path, tmp_path), select=["+day_revisions"])

    assert result.failed_tests == []
    assert queries(raw.path)(
        """
        select
            endpoint, day(revised_at), rows_added, rows_removed, rows_changed,
            active_users_change, message_count_change, spend_usd_change
        from claude_marts.day_revisions order by endpoint, revised_at
        """
    ) == [
        ("costs", 9, 0, 1, 1, None, None, Decimal("0.035")),
        ("costs", 10, 0, 3, 0, None, None, Decimal("-2.105")),
        ("users", 9, 1, 1, 2, 1, 4, None),
        ("users", 10, 0, 3, 0, -3, -7, None),
    ]
