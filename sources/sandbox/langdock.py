"""Langdock's usage exports of an invented workspace: its export API, and sample CSV files."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

API_KEY = "ld-sandbox"
WORKSPACE = "9f0d3c52-6a1b-4b7e-8f21-0c5d7e9a1b34"
DATA_TYPES = ("users", "agents", "projects", "models", "api-keys", "workflows")
WITHOUT_DATA = {
    "error": "No data found",
    "message": "No usage data found for the selected period",
}
MODELS = {"gpt-5": "openai", "claude-sonnet-5": "anthropic"}
AGENTS = ("Contract helper", "Sales mailer", "=Angebots-Prüfer")
PROJECTS = ("Go-to-market", "@Launch")
MONTHS_OF_USE = 9
"""The workspace was opened so many months ago."""

GERMAN = {
    "period_start": "Zeitraum Start",
    "period_end": "Zeitraum Ende",
    "org_id": "Organisations-ID",
    "user_id": "Nutzer-ID",
    "name": "Name",
    "email": "E-Mail",
    "role": "Rolle",
    "joined_at": "Beigetreten am",
    "department": "Abteilung",
    "license_type": "Lizenztyp",
    "messages_total": "Nachrichten gesamt",
    "messages_chat": "Nachrichten Chat",
    "messages_assistants": "Nachrichten Assistenten",
    "messages_projects": "Nachrichten Projekte",
    "action_messages": "Aktionsnachrichten",
    "total_cost_usd": "Gesamtkosten (USD)",
}
HIDDEN_IN_PRIVACY_MODE = {
    "name",
    "email",
    "assistant_description",
    "assistant_url",
    "assistant_owner_id",
    "assistant_owner_email",
    "project_owner_email",
}
IN_2026 = {"department", "company_name", "license_type", "payg_consumption_in_period"}

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """How an export is written.

    Attributes:
        without: Columns that it does not have.
        headers: Our column -> its header, where it is another one.
        decimal_mark: Comma, and numbers are grouped with points, in German files.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    without: frozenset[str] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()
    decimal_mark: str = "."


EDITIONS = {
    "2025": Edition(without=frozenset(IN_2026)),
    "2026": Edition(),
    "german": Edition(
        delimiter=";", encoding="utf-8-sig", headers=tuple(GERMAN.items()), decimal_mark=","
    ),
    "privacy": Edition(without=frozenset(HIDDEN_IN_PRIVACY_MODE | IN_2026)),
}


class LangdockExports:
    """A workspace and its export API; a later published month wins over what is invented.

    Attributes:
        requests: Path, body and headers of every request, oldest first.
        without: Data types that the workspace does not have.
        forbidden: Why the key may not export anything; None if it may.

    Args:
        emails: The people of the organisation; some of them use Langdock too.
        today: The day on which requests are answered.
    """

    def __init__(
        self, *, emails: Callable[[], Sequence[str]], today: Callable[[], date], seed: int = 1
    ) -> None:
        self.requests: list[tuple[str, Any, dict[str, str]]] = []
        self.without: set[str] = set()
        self.forbidden: str | None = None
        self.api_key = API_KEY
        self._emails = emails
        self._today = today
        self._seed = seed
        self._published: dict[tuple[str, date], bytes] = {}
        self._files: dict[str, bytes] = {}
        self.routes = [
            Route("/export/{data_type}/csv", self._export, methods=["POST"]),
            # As a dedicated deployment has it.
            Route("/api/public/export/{data_type}/csv", self._export, methods=["POST"]),
            Route("/langdock-storage/{name}", self._download),
        ]

    def publish(self, data_type: str, month: date | str, content: str | bytes) -> None:
        """From now on, the API exports exactly this file for that month."""
        first = date.fromisoformat(month) if isinstance(month, str) else month
        self._published[data_type, first] = (
            content.encode() if isinstance(content, str) else content
        )

    def csv(self, data_type: str, first: date, last: date, edition: str = "2026") -> bytes:
        """The export of a period; without bytes if there was no usage."""
        rows = self._rows(data_type, first, last)
        return written(rows, EDITIONS[edition]) if rows else b""

    def write_samples(self, folder: Path) -> list[Path]:
        """Three months in three editions of the users export, and the other exports of the last.

        Returns the files, oldest month first.
        """
        folder.mkdir(parents=True, exist_ok=True)
        months = [month_before(self._today(), number) for number in (3, 2, 1)]
        plan = [
            ("users", months[0], "2025"),
            ("users", months[1], "german"),
            ("users", months[2], "privacy"),
            *((data_type, months[2], "2026") for data_type in DATA_TYPES[1:]),
        ]
        files = []
        for data_type, month, edition in plan:
            file = folder / f"langdock-{data_type}-{month:%Y-%m}.csv"
            file.write_bytes(self.csv(data_type, month, last_day(month), edition))
            files.append(file)
        return files

    async def _export(self, request: Request) -> Response:
        data_type = request.path_params["data_type"]
        body = json.loads(await request.body() or b"{}")
        self.requests.append((request.url.path, body, dict(request.headers)))
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            return refusal(401, "Unauthorized", "Invalid API key")
        if self.forbidden:
            return refusal(403, "Forbidden", self.forbidden)
        if data_type not in DATA_TYPES or data_type in self.without:
            return refusal(404, "Not Found", f"Cannot POST {request.url.path}")
        try:
            first, last = (
                datetime.strptime(body[end]["date"], "%Y-%m-%dT%H:%M:%S.%fZ").date()
                for end in ("from", "to")
            )
        except (KeyError, TypeError, ValueError):
            return refusal(400, "Bad Request", "Invalid date")
        if first < self._today() - timedelta(days=366):
            return refusal(400, "Bad Request", "Data older than 12 months cannot be exported")
        content = self._published.get((data_type, first))
        if content is None:
            content = self.csv(data_type, first, last)
        if not content:
            return JSONResponse(WITHOUT_DATA, 404)
        name = f"{data_type}-usage-{first}-{last}-{hashlib.sha256(content).hexdigest()[:8]}.csv"
        self._files[name] = content
        return JSONResponse(
            {
                "success": True,
                "data": {
                    "filePath": f"{data_type}-usage/{WORKSPACE}/{name}",
                    "downloadUrl": f"{request.base_url}langdock-storage/{name}?sig=a%2Fb%3D",
                    "dataType": data_type,
                    "recordCount": len(list(csv.reader(io.StringIO(content.decode())))) - 1,
                    "dateRange": {"from": body["from"]["date"], "to": body["to"]["date"]},
                },
            }
        )

    async def _download(self, request: Request) -> Response:
        self.requests.append((request.url.path, None, dict(request.headers)))
        content = self._files.get(request.path_params["name"])
        # The key does not belong to the storage, which refuses two ways of signing in at once.
        if content is None or "authorization" in request.headers:
            return Response("<Error/>", 403)
        if request.query_params.get("sig") != "a/b=":
            return Response("<Error/>", 403)
        return Response(content, media_type="text/csv")

    def _rows(self, data_type: str, first: date, last: date) -> list[Row]:
        opened = month_before(self._today(), MONTHS_OF_USE)
        if first < opened or first > self._today():
            return []
        period = {"period_start": first, "period_end": last, "org_id": WORKSPACE}
        users = [self._user(number, email, first) for number, email in enumerate(self._people())]
        messages = sum(user["messages_total"] for user in users)
        rows: dict[str, list[Row]] = {
            "users": users,
            "agents": [
                {
                    "assistant_id": f"agent-{number}",
                    "assistant_name": name,
                    "messages": sum(
                        json.loads(user["assistants_to_messages"]).get(f"agent-{number}", 0)
                        for user in users
                    ),
                    "unique_users": len(users),
                    "active_users": len(users),
                    "conversations": 3 + number,
                    "messages_per_user": "2.5",
                    "assistant_owner_id": users[0]["user_id"] if users else None,
                    "assistant_owner_email": users[0]["email"] if users else None,
                }
                for number, name in enumerate(AGENTS)
            ],
            "projects": [
                {
                    "project_id": f"project-{number}",
                    "project_name": name,
                    "messages": sum(user["messages_projects"] for user in users) // 2,
                }
                for number, name in enumerate(PROJECTS)
            ],
            "models": [
                {"name": name, "provider": provider, "bring_your_keys": "false"}
                | {"requests": messages // 2}
                for name, provider in MODELS.items()
            ],
            "api-keys": [
                {"api_key_id": "key_1", "api_key_name": "nightly-export", "requests": 62}
                | {"total_cost_usd": "12.431250"}
            ],
            "workflows": [
                {"workflow_id": "flow-1", "workflow_name": "Invoice intake", "runs_total": 31}
                | {"cost_usd": "4.250000", "monthly_limit_usd": "50", "limit_utilization": "0.085"}
            ],
        }
        return [period | row for row in rows[data_type]] if users else []

    def _people(self) -> list[str]:
        """Every third person of the organisation, in lower case, and a few who are not in it."""
        people = sorted({email.lower() for email in self._emails()})
        others = [f"freelancer.{number}@elsewhere.example" for number in range(len(people) // 20)]
        return [*people[::3], *others]

    def _user(self, number: int, email: str, month: date) -> Row:
        noise = int(hashlib.sha256(f"{self._seed}/{email}/{month}".encode()).hexdigest()[:8], 16)
        is_idle = noise % 5 == 0
        chat, agent, project = (0, 0, 0) if is_idle else (noise % 1500, noise % 7, noise % 4)
        total = chat + agent + project
        return {
            "user_id": f"user-{number:04d}",
            "name": email.partition("@")[0].replace(".", " ").title(),
            "email": email,
            "role": "admin" if number == 0 else "member",
            "joined_at": "2025-07-14",
            "department": "Sales",
            "company_name": "Northwind",
            "license_type": "business",
            "payg_consumption_in_period": f"{noise % 300 / 8:.3f}",
            "messages_total": total,
            "messages_chat": chat,
            "messages_assistants": agent,
            "assistants_to_messages": json.dumps({"agent-0": agent} if agent else {}),
            "messages_projects": project,
            "projects_to_messages": json.dumps({"project-0": project} if project else {}),
            "model_to_messages_total": json.dumps({"gpt-5": total} if total else {}),
            "action_messages": agent,
            "action_to_messages": json.dumps({"Canvas": agent} if agent else {}),
        }


def written(rows: Sequence[Row], edition: Edition) -> bytes:
    """The rows as a CSV file of that edition."""
    headers = dict(edition.headers)
    columns = [name for name in rows[0] if name not in edition.without]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=edition.delimiter)
    writer.writerow([headers.get(name, name) for name in columns])
    for row in rows:
        writer.writerow([cell(row[name], edition) for name in columns])
    return text.getvalue().encode(edition.encoding)


def cell(value: Any, edition: Edition) -> str:
    if value is None:
        return ""
    if edition.decimal_mark == ",":
        if isinstance(value, date):
            return f"{value:%d.%m.%Y}"
        if isinstance(value, int):
            return f"{value:,}".replace(",", ".")
        if isinstance(value, str) and value.replace(".", "", 1).isdigit() and "." in value:
            return value.replace(".", ",")
    return str(value)


def refusal(status: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "message": message}, status)


def month_before(day: date, count: int) -> date:
    """The first day of the month so many months before."""
    months = day.year * 12 + day.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)


def last_day(month: date) -> date:
    return month_before(month, -1) - timedelta(days=1)
