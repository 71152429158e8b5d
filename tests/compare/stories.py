"""The organisations that both commits load, and the commands that they run on them."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sources.sandbox import Sandbox
from sources.sandbox.reference_files import APPROVED_CONNECTORS

Row = Mapping[str, Any]


@dataclass(frozen=True)
class World:
    """What the commands of a story read: the API, and a folder with the reference files."""

    api: Sandbox
    files: Path


@dataclass(frozen=True)
class Step:
    """One command, after what happened in the world before it; `{out}` is a folder for files.

    `takes_away`: it publishes less than before, which releases since then want confirmed.
    """

    words: str
    before: Callable[[World], None] = lambda world: None
    environment: Mapping[str, str] = field(default_factory=dict)
    takes_away: bool = False


@dataclass(frozen=True, kw_only=True)
class Story:
    """An organisation and its commands, in order.

    Attributes:
        seats, today: Of the sandbox.
        files: Reference files, by the name of their setting.
        settings: What else is set, by the name of its variable.
        handed_over: The step from which the new commit also goes on in a copy of the folder that
            the old one loaded; None: it does not.
    """

    name: str
    seats: int
    today: date
    files: Sequence[str]
    steps: Sequence[Step]
    handed_over: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self, world: World) -> dict[str, str]:
        """The settings with which a command reads this world and nothing else."""
        keys = {
            "CLAUDE_ANALYTICS": world.api.api_key,
            "CLAUDE_ADMIN": world.api.api_key,
            "CLAUDE_COMPLIANCE": world.api.api_key,
        }
        return {
            **{f"SOURCES__{name}__BASE_URL": world.api.url for name in keys},
            **{f"SOURCES__{name}__API_KEY": key for name, key in keys.items()},
            **{f"SOURCES__{name}__REQUESTS_PER_MINUTE": "100000" for name in keys},
            "SOURCES__LANGDOCK__FILES": str(world.files / "langdock"),
            **{
                f"SOURCES__REFERENCE_FILES__{name.upper()}": str(world.files / f"{name}.csv")
                for name in self.files
            },
            **self.settings,
        }


def prepare(world: World) -> None:
    """Write the reference files and the Langdock exports."""
    for name in ("org_chart", "seat_prices"):
        rows = world.api.truth(name)
        with (world.files / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    (world.files / "approved_connectors.csv").write_text(APPROVED_CONNECTORS)
    world.api.langdock.write_samples(world.files / "langdock")


def _person(name: str, messages: int) -> Row:
    return {
        "user": {"id": f"user_{name}", "email_address": f"{name}@northwind.example"},
        "chat_metrics": {"message_count": messages, "distinct_conversation_count": 1},
    }


def _spent(name: str | None, cents: str) -> Row:
    actor = name and {"type": "user_actor", "user_id": f"user_{name}"}
    return {
        "group": {"actor": actor, "product": "chat", "model": "claude-opus-4-5"},
        "cost": {"amount": cents, "list_amount": cents, "currency": "USD"},
    }


def _member(name: str) -> Row:
    return {"id": f"user_{name}"}


def second_night(world: World) -> None:
    """Days are revised: rows vanish, appear and change, and a day comes back empty."""
    world.api.publish("users", "2026-02-27", [_person("ana", 4), _person("bob", 1)])
    world.api.publish("users", "2026-02-28", [])
    world.api.publish("skills", "2026-02-28", [{"skill_name": "pdf"}])
    world.api.publish("costs", "2026-02-20", [_spent("ana", "1250.5"), _spent(None, "300")])
    world.api.publish_roster("members", [_member("ana"), _member("bob")], since="2026-03-06")


def third_night(world: World) -> None:
    """Somebody left, a row cannot be read, a closed month moves, and files change."""
    world.api.publish("users", "2026-02-27", [_person("bob", 2)])
    unreadable = {**_person("cyd", 1), "chat_metrics": "many"}
    world.api.publish("users", "2026-03-01", [_person("ana", 1), unreadable], fill=False)
    world.api.publish("costs", "2026-01-10", [_spent("ana", "900"), _spent("bob", "-50.25")])
    world.api.publish_roster("members", [_member("bob")], since="2026-03-09")
    chart = world.files / "org_chart.csv"
    chart.write_text(chart.read_text().replace("Sales", "Field Sales"))
    # January's export tells of fewer people than before.
    export = world.files / "langdock" / "langdock-users-2026-01.csv"
    export.write_bytes(b"\n".join(export.read_bytes().splitlines()[:-3]))


def fourth_night(world: World) -> None:
    """What could not be read is healed, and a day gets its old rows back."""
    world.api.publish("users", "2026-03-01", [_person("ana", 1), _person("cyd", 1)])
    world.api.publish("users", "2026-02-27", [_person("ana", 4), _person("bob", 1)])
    world.api.publish_activities(
        [
            {
                "id": "activity_late",
                "created_at": "2026-03-09T08:00:00Z",
                "type": "api_key_created",
                "actor": {"type": "user_actor", "user_id": "user_ana"},
            }
        ],
        indexed_at="2026-03-10T07:00:00Z",
    )


FEW_NIGHTS = Story(
    name="few",
    seats=12,
    today=date(2026, 3, 5),
    files=("org_chart", "seat_prices"),
    settings={
        "SOURCES__CLAUDE_ANALYTICS__WINDOW_DAYS": "14",
        "SOURCES__CLAUDE_ANALYTICS__COST_WINDOW_DAYS": "64",
        "SOURCES__CLAUDE_COMPLIANCE__FIRST_DAY": "2026-02-20",
    },
    steps=(
        Step("sync --today 2026-03-05 --no-transform"),
        Step("close-month 2026-01 --today 2026-03-05 --force"),
        Step("sync --today 2026-03-06 --no-transform", second_night),
        Step(
            "backfill --from 2026-01-10 --to 2026-01-10 --today 2026-03-09 --no-transform",
            third_night,
        ),
        Step("sync --today 2026-03-09 --no-transform"),
        Step("sync --today 2026-03-12", fourth_night),
    ),
    handed_over=5,
)
"""Small enough that tests keep a folder of it that an old commit loaded."""

BELIEVED = {
    "DOUBTS__LOST_PEOPLE": "1000000",
    "DOUBTS__SHORT_DAY_PEOPLE": "1000000",
    "DOUBTS__LOST_ROWS_PERCENT": "100",
    "DOUBTS__LOST_MONEY_PERCENT": "100",
    "DOUBTS__STALLED_DAYS": "36500",
}
"""Settings with which every night is believed at once, as releases did that knew no doubt."""

LOOK = (Step("status"), Step("status --json"), Step("summary"))

STORIES = (
    FEW_NIGHTS,
    Story(
        name="demo",
        seats=250,
        today=date(2026, 6, 15),
        files=("org_chart", "seat_prices", "approved_connectors"),
        steps=(
            Step("sync --today 2026-06-15"),
            *(Step(f"{look.words} --today 2026-06-15") for look in LOOK[:2]),
            LOOK[2],
            Step("doctor --today 2026-06-15"),
            Step("export chargeback --month 2026-05 --out {out}/chargeback.csv"),
            Step("export evidence --out {out}/evidence.csv"),
        ),
    ),
    Story(
        name="nights",
        seats=40,
        today=date(2026, 3, 5),
        files=("org_chart", "seat_prices"),
        steps=(
            Step("sync --today 2026-03-05"),
            Step("close-month 2026-01 --today 2026-03-05 --force"),
            Step("close-month 2026-03 --today 2026-03-05"),
            Step("sync --today 2026-03-06 --no-transform", second_night),
            Step(
                "backfill --from 2026-01-10 --to 2026-01-10 --today 2026-03-09 --no-transform",
                third_night,
            ),
            Step("sync --today 2026-03-09", takes_away=True),
            Step("status --json --today 2026-03-09"),
            Step(
                "sync --today 2026-03-10 --no-transform",
                environment={"SOURCES__CLAUDE_ANALYTICS__API_KEY": "sk-ant-api01-wrong"},
            ),
            Step("sync --today 2026-03-10 --only reports"),
            Step("sync --today 2026-03-12", fourth_night),
            *(Step(f"{look.words} --today 2026-03-12") for look in LOOK[:2]),
            LOOK[2],
            Step("export chargeback --month 2026-01 --out {out}/chargeback.csv"),
            Step("export focus --month 2026-01 --out {out}/focus.csv"),
        ),
        handed_over=9,
    ),
)
