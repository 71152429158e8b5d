"""One of each thing that this project may grow by, as changes to a copy of its tree."""

from collections.abc import Callable
from pathlib import Path

STAGING = "transforms/models/staging"
ADOPTION = "transforms/models/marts/adoption"


class Tree:
    """A copy of the tree, and which of its files were touched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.touched: list[str] = []

    def write(self, path: str, text: str) -> None:
        self.touched.append(path)
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def insert(self, path: str, text: str, *, before: str) -> None:
        """Put the text before the first place where this stands."""
        found = (self.root / path).read_text()
        assert before in found, (path, before)
        self.write(path, found.replace(before, text + before, 1))


def endpoint(tree: Tree) -> None:
    tree.insert(
        "sources/claude_analytics/endpoints.py",
        """\
    Endpoint(
        table="gadgets",
        path="/v1/organizations/analytics/gadgets",
        grain="One row per UTC day and gadget.",
        key=("gadget_name",),
        columns={"gadget_name": TEXT, "distinct_user_count": COUNT},
        is_official=False,
    ),
""",
        before='    Endpoint(\n        table="connectors"',
    )
    tree.insert(
        "sources/sandbox/engagement.py",
        '    "gadgets": Served(table="gadgets"),\n',
        before='    "connectors": Served',
    )
    tree.write(
        f"{STAGING}/claude_analytics/stg_gadgets.sql",
        """\
-- One row per UTC day and gadget.
select
    activity_date,
    gadget_name,
    distinct_user_count
from {{ counting_rows('gadgets') }}
""",
    )
    tree.insert(
        f"{STAGING}/claude_analytics/_models.yml",
        "      - name: gadgets\n",
        before="      - name: connectors\n",
    )
    tree.insert(
        "docs/growing.md",
        "| `gadgets` | `/v1/organizations/analytics/gadgets` |\n",
        before="| `connectors` |",
    )


def mart(tree: Tree) -> None:
    tree.write(
        f"{ADOPTION}/gadget_usage_daily.sql",
        """\
-- One row per UTC day and gadget.
select
    activity_date,
    gadget_name,
    distinct_user_count
from {{ ref('stg_gadgets') }}
""",
    )
    tree.write(
        f"{ADOPTION}/gadget_usage_daily.yml",
        """\
models:
  - name: gadget_usage_daily
    description: One row per UTC day and gadget.
    columns:
      - name: activity_date
        description: UTC day.
      - name: gadget_name
        description: Which gadget.
      - name: distinct_user_count
        description: People who used it.
""",
    )
    tree.insert(
        "docs/marts.md",
        "| `gadget_usage_daily` | UTC day and gadget | who uses which gadget |\n",
        before="| `seats` |",
    )


def field(tree: Tree) -> None:
    tree.insert(
        "sources/claude_analytics/endpoints.py",
        '"color": TEXT, ',
        before='"distinct_user_count": COUNT},\n        is_official=False',
    )
    for path in (
        f"{STAGING}/claude_analytics/stg_gadgets.sql",
        f"{ADOPTION}/gadget_usage_daily.sql",
    ):
        tree.insert(path, "    color,\n", before="    distinct_user_count\n")
    tree.insert(
        f"{ADOPTION}/gadget_usage_daily.yml",
        "      - name: color\n        description: Its color.\n",
        before="      - name: distinct_user_count\n        description: People who used it.",
    )


def vendor(tree: Tree) -> None:
    tree.write("sources/acme/__init__.py", '"""A vendor whose people stand in a list."""\n')
    tree.write(
        "sources/acme/source.py",
        '''\
"""Acme as a source of a run: a list of people, and a month of their messages."""

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sources.contract import Check, EndpointReport, Source, SourceReport, Table
from sources.hints import typed_columns
from sources.ledger import store
from sources.rules import TEXT


@configspec
class AcmeSettings(BaseConfiguration):
    """`[sources.acme]`: the people, separated by blanks."""

    people: str | None = None


@dlt.resource(
    name="acme_people",
    write_disposition="replace",
    columns=typed_columns(email="text", message_count="bigint"),
)
def acme_people(rows):
    yield dlt.mark.materialize_table_schema()
    yield list(rows)


def missing(settings):
    return None if settings.people else "Acme is not read: [sources.acme] people is not set."


def check(access, settings):
    why = missing(settings)
    yield Check("acme", None if why else True, why or settings.people)


def load(session, settings):
    report = SourceReport(unit="period")
    if missing(settings):
        return report
    rows = [{"email": email, "message_count": 3} for email in settings.people.split()]
    report.endpoints["acme_people"] = EndpointReport(unit_count=1, row_count=len(rows))
    report.summary = f"Loaded {len(rows)} people of Acme."
    report.note_runs("export", session.clock.now)
    store(session.pipeline, acme_people(rows))
    return report


SOURCE = Source(
    name="acme",
    title="Acme",
    settings=AcmeSettings,
    rules={"people": TEXT},
    tables=[Table(name="acme_people", kind="export")],
    missing=missing,
    check=check,
    load=load,
    empty=lambda absent: [acme_people([])],
    assistant="acme",
    ledger="acme_people",
    standing="""
        select
            1 as unit_count, count(*) as row_count, 0 as rejected_row_count,
            cast('2026-01-01' as date) as first_date, cast('2026-01-31' as date) as last_date
        from claude_raw.acme_people
    """,
)
''',
    )
    tree.insert(
        "pipelines/registry.py",
        "from sources.acme.source import SOURCE as ACME\n",
        before="from sources.claude_admin",
    )
    tree.insert("pipelines/registry.py", "    ACME,\n", before="    LANGDOCK,\n)")
    models = {
        "people": "email as account_key,\n    email as user_id,\n    email",
        "cost": "cast('2026-01-01' as date) as month,\n    email as account_key,\n"
        "    cast(null as decimal(38, 8)) as cost_usd",
        "activity": "cast('2026-01-01' as date) as month,\n    email as account_key,\n"
        "    message_count,\n    1 as was_active,\n    cast(null as bigint) as covered_days,\n"
        "    cast(null as bigint) as month_days,\n    cast(null as varchar) as coverage",
    }
    for name, columns in models.items():
        tree.write(
            f"{STAGING}/acme/stg_acme__assistant_{name}.sql",
            f"-- One row per account at Acme.\nselect\n    {columns}\n"
            "from {{ source('claude_raw', 'acme_people') }}\n",
        )
    tree.write(
        f"{STAGING}/acme/_models.yml",
        "sources:\n  - name: claude_raw\n    schema: claude_raw\n    tables:\n"
        "      - name: acme_people\n",
    )
    tree.insert(
        "docs/settings.md",
        "| `[sources.acme] people` | – | e-mails, separated by blanks |\n",
        before="| `[seats] dormant_after_days` |",
    )
    tree.insert(".dlt/config.toml", '[sources.acme]\n# people = ""\n\n', before="[seats]\n")


ADDITIONS: dict[str, tuple[Callable[[Tree], None], int]] = {
    "An endpoint": (endpoint, 6),
    "A mart": (mart, 3),
    "A field": (field, 4),
    "A vendor": (vendor, 9),
}
"""Heading of docs/growing.md -> what adds one, and how many files it may touch at most."""
