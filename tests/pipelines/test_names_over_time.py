"""People and their addresses through the commands: closed months, and letters beyond ASCII."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sources.sandbox import Sandbox
from tests.conftest import Command, Query

TOMBSTONE = "0123456789abcdef0123456789abcdef"
COST = "--only cost_totals --only costs"


@pytest.fixture
def api() -> Any:
    with Sandbox.empty(today="2026-03-05") as sandbox:
        yield sandbox


def spent(user_id: str, email: str | None, cents: str) -> Mapping[str, Any]:
    actor = {
        "type": "user_actor", "user_id": user_id, "email_address": email,
        "name": None, "deleted": email is None,
    }  # fmt: skip
    return {
        "group": {"actor": actor, "product": "chat", "model": "opus", "cost_type": "tokens"},
        "cost": {"amount": cents, "list_amount": cents, "currency": "USD"},
    }


@pytest.fixture
def org_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "org_chart.csv"
    file.write_text(
        "email,department,cost_center,manager_email,valid_from\n"
        "ana@old.example,Sales,7,,\nBEN@old.example,Lab,8,,\n"
    )
    monkeypatch.setenv("SOURCES__REFERENCE_FILES__ORG_CHART", str(file))
    return file


def test_a_closed_month_is_not_corrected_when_its_people_are_renamed(
    api: Sandbox, command: Command, query: Query, org_chart: Path, tmp_path: Path
) -> None:
    api.publish(
        "costs",
        "2026-01-20",
        [spent("ana", "ana@old.example", "10000"), spent("ben", "ben@old.example", "2000")],
    )
    assert command(f"sync --today 2026-02-28 {COST}").exit_code == 0
    assert command("close-month 2026-01 --today 2026-03-05 --force").exit_code == 0

    def january() -> dict[str, bytes]:
        for kind in ("focus", "chargeback"):
            file = tmp_path / f"{kind}.csv"
            words = f"export {kind} --month 2026-01 --format csv --out {file}"
            assert command(words).exit_code == 0
        return {file.name: file.read_bytes() for file in tmp_path.glob("*k*.csv")} | {
            "focus": (tmp_path / "focus.csv").read_bytes()
        }

    before = january()
    # The domain moved: asked again, the API has the new addresses of January's people too.
    for day, cents in (("2026-01-20", "10000"), ("2026-02-20", "500")):
        api.publish(
            "costs",
            day,
            [spent("ana", "ana@new.example", cents), spent("ben", "ben@new.example", "2000")],
        )
    with org_chart.open("a") as file:
        file.write("ana@new.example,Sales,7,,2026-02-01\nben@new.example,Legal,9,,2026-02-01\n")
    words = f"backfill --from 2026-01-20 --to 2026-02-20 --today 2026-03-05 {COST}"
    assert command(words).exit_code == 0
    assert command(f"sync --today 2026-03-05 {COST}").exit_code == 0

    assert january() == before
    assert query(
        """
        select strftime(month, '%Y-%m'), department, cast(amount_usd as int), corrected_month
        from claude_marts.chargeback_monthly where cost_pool = 'metered' order by 1, 2
        """,
        served=True,
    ) == [
        ("2026-01", "Lab", 20, None),
        ("2026-01", "Sales", 100, None),
        ("2026-02", "Legal", 20, None),
        ("2026-02", "Sales", 5, None),
    ]
    corrections = 'select * from claude_marts.focus_cost_and_usage where "ChargeClass" is not null'
    assert query(corrections, served=True) == []


@pytest.mark.long
def test_days_whose_people_the_api_has_renamed_stay_where_they_were(
    api: Sandbox, command: Command, query: Query, org_chart: Path
) -> None:
    asked = "backfill --from 2026-02-10 --to 2026-02-20 --today 2026-03-05"
    for email in ("ana@old.example", "ana@new.example"):
        for day in ("2026-02-10", "2026-02-20"):
            api.publish("costs", day, [spent("ana", email, "10000")])
        assert command(f"{asked} {COST}").exit_code == 0
        with org_chart.open("a") as file:
            file.write("ana@new.example,Legal,9,,2026-02-20\n" if "old" in email else "")

    assert query(
        """
        select department, cast(amount_usd as int)
        from claude_marts.chargeback_monthly where cost_pool = 'metered' order by 1
        """,
        served=True,
    ) == [("Legal", 100), ("Sales", 100)]
    assert query("select email from claude_marts.spend_daily limit 1") == [("ana@new.example",)]


@pytest.mark.long
def test_two_who_swap_addresses_keep_their_past_though_only_cost_tells_of_it(
    api: Sandbox, command: Command, query: Query, org_chart: Path
) -> None:
    """No roster and no feed; asked again, the API names the days before by today's addresses."""
    ana, ben = "ana@old.example", "ben@old.example"
    days = ("2026-02-05", "2026-02-10", "2026-02-15")

    def spend(of_ana: str, of_ben: str) -> None:
        for day in days:
            api.publish("costs", day, [spent("ana", of_ana, "10000"), spent("ben", of_ben, "300")])

    spend(ana, ben)
    assert (
        command(f"backfill --from 2026-02-05 --to 2026-02-10 --today 2026-02-13 {COST}").exit_code
        == 0
    )
    spend(ben, ana)
    with org_chart.open("a") as file:
        file.write(f"{ben},Sales,7,,2026-02-12\n{ana},Lab,8,,2026-02-12\n")
    assert (
        command(f"backfill --from 2026-02-05 --to 2026-02-15 --today 2026-02-20 {COST}").exit_code
        == 0
    )

    spent_by = """
        select department, cast(sum(amount_usd) as int)
        from claude_marts.chargeback_monthly where cost_pool = 'metered' group by 1 order by 1
    """
    assert query(spent_by, served=True) == [("Lab", 9), ("Sales", 300)]
    # Also when nothing is left of what the API said before.
    assert command("compact --before 2026-02-21").exit_code == 0
    assert command("transform").exit_code == 0
    assert query(spent_by, served=True) == [("Lab", 9), ("Sales", 300)]


def test_the_address_behind_a_tombstone_is_compared_as_people_type_it(
    api: Sandbox, command: Command, query: Query, org_chart: Path
) -> None:
    org_chart.write_text(
        "email,department,cost_center,manager_email,valid_from\njörg@old.example,Sales,7,,\n"
    )
    api.publish("costs", "2026-01-20", [spent("jo", f"{TOMBSTONE}JÖRG@old.example", "10000")])
    assert command(f"sync --today 2026-02-28 {COST}").exit_code == 0

    department = (
        "select department from claude_marts.chargeback_monthly where cost_pool = 'metered'"
    )
    assert query(department, served=True) == [("Sales",)]


def test_a_name_that_is_not_plain_makes_no_other_names_one(
    command: Command, query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "approved_connectors.csv"
    file.write_text("name,approval\nGrößen,banned\ngithub,approved\nslack,approved\n")
    monkeypatch.setenv("SOURCES__REFERENCE_FILES__APPROVED_CONNECTORS", str(file))

    ended = command("sync --today 2026-03-05 --only users")

    # A test of the marts asks for one decision per name.
    assert ended.exit_code == 0, ended.err
    assert query("select name_key from claude_raw.name_keys") == [("grössen",)]
