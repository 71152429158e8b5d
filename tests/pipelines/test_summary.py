"""The summary for a chat, what a run tells the chat, and the screen of `status`."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, HELD
from sources.sandbox import Sandbox
from tests.conftest import Command
from tests.pipelines import served_marts

pytestmark = pytest.mark.long

LOAD = "sync --no-transform --today 2026-01-08"
SECRET = "T0P/S3CRET"


class Chat:
    """A chat's webhook on this machine: what it was told, and what it answers."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.status = 200
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.headers["content-type"] == "application/json"
                assert self.path == f"/services/{SECRET}"
                chat.bodies.append(json.loads(body))
                self.send_response(chat.status)
                self.end_headers()

            def do_GET(self) -> None:
                chat.calls.append(self.path)
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/{SECRET}"

    @property
    def told(self) -> list[str]:
        return [body["text"] for body in self.bodies]


@pytest.fixture
def chat() -> Iterator[Chat]:
    chat = Chat()
    thread = threading.Thread(target=chat.server.serve_forever, args=(0.01,))
    thread.start()
    yield chat
    chat.server.shutdown()
    thread.join()
    chat.server.server_close()


def test_the_summary_says_how_many_what_it_costs_and_what_to_do(
    command: Command, data_dir: DataDir
) -> None:
    served_marts.write(data_dir)
    ended = command("summary")

    assert ended.exit_code == DONE
    assert ended.out == (
        "Claude usage, data to 12 June 2026\n"
        "172 people active in 30 days: 30 (21%) more than 30 days before\n"
        "152 people active in 7 days: 7 (5%) more than the week before\n"
        "86% of seats used in 30 days: 15 points more than 30 days before\n"
        "$1,001 cost of May 2026: $200 (25%) more than April\n"
        "\n"
        "Needs attention:\n"
        "• 1 endpoint day is missing and will be asked for again (Users, 10 May).\n"
        "• 1 connector is banned and was used.\n"
        "• 1 connector awaits review.\n"
        "• 2 seats to reclaim, $90 a month.\n"
    )


def test_the_spend_of_the_running_month_is_in_the_summary(
    command: Command, data_dir: DataDir
) -> None:
    spend = """
        select * from (values
            (date '2026-05-31', 99::decimal(38, 8)),
            (date '2026-06-01', 400.25::decimal(38, 8)),
            (date '2026-06-14', 212.50::decimal(38, 8))
        ) as days (activity_date, spend_usd)
    """
    served_marts.write(data_dir, {"spend_daily": spend})

    assert "$613 metered in June up to 14 June 2026\n" in command("summary").out


def test_spend_on_models_that_retire_is_in_the_summary_and_in_the_report(
    command: Command, data_dir: DataDir
) -> None:
    retiring = """
        select *, date '2026-06-14' as as_of_date from (values
            (date '2026-05-01', 'claude-opus-4-5', date '2027-01-22', 7::decimal(38, 8)),
            (date '2026-06-01', 'claude-opus-4-5', date '2027-01-22', 0::decimal(38, 8)),
            (date '2026-06-01', 'claude-sonnet-4-5', date '2026-11-30', 12.30::decimal(38, 8))
        ) as rows (month, model, retires_date, spend_usd)
    """
    served_marts.write(data_dir, {"spend_on_retiring_models": retiring})
    sentence = (
        "$12.30 of June went to models that retire: claude-sonnet-4-5 ends on 30 November 2026. "
        "Requests to them fail from then on."
    )

    assert f"• {sentence}\n" in command("summary").out
    assert command("report").exit_code == DONE
    assert sentence in (data_dir.root / "report.html").read_text()


def test_who_burned_it_tonight_is_in_the_summary_and_nobody_is_named(
    command: Command, data_dir: DataDir
) -> None:
    spend = """
        select date '2026-06-15' as activity_date, 1::decimal(38, 8) as spend_usd
    """
    hours = """
        select hour::timestamp as hour_at, *, usd::decimal(38, 8) as spend_usd from (values
            ('2026-06-13 19:00', 'user', 'user_ada', 'chat', 4, true),
            ('2026-06-14 18:00', 'user', 'user_ben', 'chat', 99, true),
            ('2026-06-14 19:00', 'user', 'user_ada', 'claude_code', 30, true),
            ('2026-06-15 06:00', 'user', 'user_ada', 'claude_code', 2, true),
            ('2026-06-15 06:00', 'api_key', 'apikey_ci', null, 20, true),
            ('2026-06-15 07:00', 'user', 'user_ada', 'chat', 50, false)
        ) as hours (hour, actor_type, actor_id, product, usd, is_complete)
    """
    served_marts.write(data_dir, {"spend_daily": spend, "spend_hourly": hours})
    line = "$52 in the 12 hours to 07:00 UTC, $4 a day earlier: $32 of it by one person with"

    assert f"{line} Claude Code (spend_hourly)\n" in command("summary").out

    machine = hours.replace("null, 20,", "null, 200,")
    served_marts.write(data_dir, {"spend_daily": spend, "spend_hourly": machine})
    assert "$200 of it by API key apikey_ci (spend_hourly)" in command("summary").out

    stopped = spend.replace("2026-06-15", "2026-06-20")
    served_marts.write(data_dir, {"spend_daily": stopped, "spend_hourly": hours})
    assert "12 hours" not in command("summary").out


def test_the_summary_is_short_however_much_needs_attention(
    command: Command, data_dir: DataDir
) -> None:
    bills = """
        select
            month::date as month,
            'seats' as cost_pool,
            2::decimal(38, 8) as billed_usd,
            1::decimal(38, 8) as allocated_usd,
            1::decimal(38, 8) as difference_usd,
            31 as covered_days,
            true as is_settled
        from generate_series(date '2024-01-01', date '2026-05-01', interval 1 month) as m (month)
    """
    served_marts.write(data_dir, {"chargeback_reconciliation_monthly": bills})
    printed = command("summary").out

    assert len(printed) <= 1_500
    assert re.search(r"… \d+ more lines in claude-warehouse status\.\n$", printed)


def test_the_summary_names_nobody(command: Command, data_dir: DataDir) -> None:
    served_marts.write(data_dir)
    printed = command("summary").out

    assert [text for text in served_marts.PERSONAL if text in printed] == []


def test_before_the_first_run_the_summary_says_what_to_run(command: Command) -> None:
    ended = command("summary")

    assert ended.exit_code == FAILED
    assert "Run: claude-warehouse sync" in ended.err


def test_the_summary_goes_to_the_chat(command: Command, data_dir: DataDir, chat: Chat) -> None:
    served_marts.write(data_dir)
    ended = command("summary --webhook", NOTIFY__WEBHOOK_URL=chat.url)

    assert ended.exit_code == DONE
    assert [text + "\n" for text in chat.told] == [ended.out]


def test_without_an_address_the_summary_says_what_to_set(
    command: Command, data_dir: DataDir
) -> None:
    served_marts.write(data_dir)
    ended = command("summary --webhook")

    assert ended.exit_code == FAILED
    assert "NOTIFY__WEBHOOK_URL" in ended.err


@pytest.mark.parametrize("status", [403, 500])
def test_a_chat_that_refuses_is_named_without_its_address(
    command: Command, data_dir: DataDir, chat: Chat, status: int
) -> None:
    served_marts.write(data_dir)
    chat.status = status
    ended = command("summary --webhook", NOTIFY__WEBHOOK_URL=chat.url)

    assert ended.exit_code == FAILED
    assert f"The webhook did not take the message: it answered with {status}." in ended.err
    assert SECRET not in ended.out + ended.err


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:9/{SECRET}",
        f"no address/{SECRET}",
        f"http://[{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        f"http://127.0.0.1:999999/{SECRET}",
    ],
)
def test_an_address_that_does_not_work_never_appears(
    command: Command, data_dir: DataDir, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    served_marts.write(data_dir)
    ended = command("summary --webhook", NOTIFY__WEBHOOK_URL=url)

    assert ended.exit_code == FAILED
    # An address without a scheme is already refused as a setting.
    said = "webhook_url is not an address" if " " in url else "did not take the message"
    assert said in ended.err
    assert SECRET not in ended.out + ended.err + caplog.text
    files = [file for file in data_dir.root.rglob("*") if file.is_file()]
    assert [file for file in files if SECRET.encode() in file.read_bytes()] == []


def test_the_address_is_not_logged_when_it_works(
    command: Command, data_dir: DataDir, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    served_marts.write(data_dir)
    command("summary --webhook", NOTIFY__WEBHOOK_URL=chat.url)

    assert len(chat.told) == 1
    assert SECRET not in caplog.text


def test_a_run_that_went_well_is_told_with_the_summary(
    api: Sandbox, command: Command, data_dir: DataDir, chat: Chat
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    served_marts.write(data_dir)
    ended = command(LOAD, NOTIFY__WEBHOOK_URL=chat.url)

    assert ended.exit_code == DONE
    [text] = chat.told
    assert text.startswith("✓ claude-warehouse sync: done\n\nClaude usage, data to 12 June 2026\n")
    assert "• 2 seats to reclaim, $90 a month." in text


def test_a_run_that_failed_is_told_with_the_reason(
    api: Sandbox, command: Command, chat: Chat
) -> None:
    api.answer("/users", status=401, times=1_000)
    ended = command(LOAD, NOTIFY__WEBHOOK_URL=chat.url)

    assert ended.exit_code == FAILED
    [text] = chat.told
    assert text.startswith("✗ claude-warehouse sync: failed\n• ")
    assert "401" in text


def test_a_run_that_could_not_begin_is_told(
    command: Command, data_dir: DataDir, chat: Chat
) -> None:
    with data_dir.held("backfill"):
        ended = command(LOAD, NOTIFY__WEBHOOK_URL=chat.url)

    assert ended.exit_code == HELD
    [text] = chat.told
    assert text.startswith("✗ claude-warehouse sync: another run holds the warehouse\n")


def test_a_failing_webhook_does_not_fail_the_run(
    api: Sandbox, command: Command, chat: Chat
) -> None:
    chat.status = 404
    ended = command(LOAD, NOTIFY__WEBHOOK_URL=chat.url)

    assert ended.exit_code == DONE
    assert "The webhook did not take the message: it answered with 404." in ended.err
    assert SECRET not in ended.out + ended.err


def test_teams_is_told_by_a_card(api: Sandbox, command: Command, chat: Chat) -> None:
    command(LOAD, NOTIFY__WEBHOOK_URL=chat.url, NOTIFY__WEBHOOK_FORM="teams")

    [message] = chat.bodies
    [attachment] = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][0]["text"] == "✓ claude-warehouse sync: done"
    assert {block["type"] for block in card["body"]} == {"TextBlock"}


def test_a_dead_mans_switch_is_called_after_a_good_run_alone(
    api: Sandbox, command: Command, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY__HEARTBEAT_URL", chat.url)
    # Readers have nothing new of it.
    assert command(LOAD).exit_code == DONE and chat.calls == []
    assert command("sync --today 2026-01-08").exit_code == DONE
    assert chat.calls == [f"/services/{SECRET}"] and chat.bodies == []

    api.answer("/users", status=401, times=1_000)
    assert command("sync --today 2026-01-09").exit_code == FAILED
    assert len(chat.calls) == 1

    api.clear_answers()
    chat.status = 500
    ended = command("sync --today 2026-01-09")
    assert ended.exit_code == DONE
    assert "The dead man's switch did not take the call: it answered with 500." in ended.err
    assert SECRET not in ended.out + ended.err


def screen(data_dir: DataDir, **variables: str) -> list[str]:
    """What `status` prints in a process of its own, without colours."""
    printed = subprocess.run(
        [sys.executable, "-c", "from pipelines.cli import main; main()", "status"],
        env={**os.environ, "PIPELINE__DATA_DIR": str(data_dir.root), **variables},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return re.sub(r"\x1b\[[0-9;]*m", "", printed).splitlines()


@pytest.fixture
def loaded(api: Sandbox, command: Command, data_dir: DataDir) -> DataDir:
    """A warehouse with one missing day of skills, and hand-made marts beside it."""
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    api.answer("/skills", status=500, times=100, when=lambda asked: asked["date"] == "2026-01-03")
    command(LOAD)
    served_marts.write(data_dir)
    return data_dir


def test_status_says_first_what_needs_attention(loaded: DataDir) -> None:
    lines = [line.strip() for line in screen(loaded) if line.strip()]

    assert lines[0] == "Needs attention"
    missing = lines.index("Missing in skills: 2026-01-03")
    assert missing < lines.index("2 seats to reclaim, $90 a month.") < lines.index("Freshness")
    assert "172 people active in 30 days: 30 (21%) more than 30 days before" in lines
    assert any(line.startswith("skills: 2026-01-01 to 2026-01-05, 4 days") for line in lines)


def test_status_fits_a_terminal_of_80_columns(loaded: DataDir) -> None:
    lines = screen(loaded, FORCE_COLOR="1", COLUMNS="80", TERM="xterm-256color")

    assert max(len(line.rstrip()) for line in lines) <= 80
    skills = next(line for line in lines if line.startswith("skills"))
    assert "░" in skills and "█" in skills
    words = [" ".join(line.split()) for line in lines]
    assert "172 people active in 30 days ▲ 30 (21%) more than 30 days before" in words


def test_status_without_published_marts_still_says_what_is_loaded(
    api: Sandbox, command: Command
) -> None:
    command(LOAD)
    printed = command("status --today 2026-01-08").out

    assert "Nothing needs attention" in printed
    assert "Readers open: nothing yet" in printed
    assert "users: 2026-01-01 to 2026-01-05, 5 days" in printed
