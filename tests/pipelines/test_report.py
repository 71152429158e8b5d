"""The report: what stands on the page, what never does, and how a real browser shows it."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from html import unescape
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, WRONG_USAGE
from pipelines.reading.status_screen import published, show_numbers
from pipelines.report import ChartName, charts
from pipelines.report.parts import Figure
from pipelines.report.sections import figure
from pipelines.warehouse import warehouse_of
from sources.sandbox import Sandbox
from tests.conftest import Command, Query
from tests.pipelines import served_marts
from tests.pipelines.served_marts import DAYS, PERSONAL

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
UNBROKEN = str.maketrans({"\u00a0": " ", "\u2060": None})
"""What keeps days and amounts of running text on one line."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRAWN = {
    ChartName.ACTIVE_PEOPLE,
    ChartName.PRODUCTS,
    ChartName.STICKINESS,
    ChartName.SEAT_UTILIZATION,
    ChartName.SEAT_STATUS,
    ChartName.BILL,
    ChartName.CHARGEBACK,
    ChartName.CONNECTORS,
    ChartName.SKILLS,
    ChartName.PROJECTS,
    ChartName.COVERAGE,
}

Report = Callable[..., str]


@pytest.fixture(scope="module")
def unchanged() -> list[str]:
    """The page of the hand-made marts as they are, once a test has written it."""
    return []


@pytest.fixture
def report(command: Command, data_dir: DataDir, tmp_path: Path, unchanged: list[str]) -> Report:
    """Write the page of the hand-made marts, and return it as text."""

    def write(words: str = "", **marts: str | None) -> str:
        out = tmp_path / "report.html"
        if not words and not marts and unchanged:
            out.write_text(unchanged[0])
            return unchanged[0]
        served_marts.write(data_dir, marts)
        ended = command(f"report --out {out} {words}")
        assert ended.exit_code == DONE, ended.err
        assert f"Wrote {out}" in ended.out
        if not words and not marts:
            unchanged.append(out.read_text())
        return out.read_text()

    return write


def seen(page: str) -> str:
    """The page's words, without its scripts and styles."""
    words = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", words)).translate(UNBROKEN).split())


def drawn_values(page: str, chart: str) -> list[dict[str, Any]]:
    """The rows that a chart of the page is drawn from."""
    found = re.search(r'<script type="application/json" id="specs">(.*?)</script>', page, re.DOTALL)
    assert found
    spec = json.loads(found[1])[chart]
    values: list[dict[str, Any]] = (spec.get("data") or spec["layer"][0]["data"])["values"]
    return values


def test_the_first_screen_has_the_numbers_with_change_and_definition(report: Report) -> None:
    page = seen(report())

    assert "172 people used Claude in the 30 days to 12 June 2026" in page
    assert "172 people active in 30 days ▲ 30 (21%) more than 30 days before" in page
    assert "People active in 30 days, says the API. As of 12 June 2026." in page
    assert "152 people active in 7 days ▲ 7 (5%) more than the week before" in page
    assert "86% of seats used in 30 days ▲ 15 points more than 30 days before" in page
    assert "$1,001 cost of May 2026 ▲ $200 (25%) more than April" in page
    assert "2 seats to reclaim $90 a month" in page


def test_titles_are_findings(report: Report) -> None:
    page = seen(report())

    assert "Chat reaches 75% of the active people, Claude Code 25%" in page
    assert "86% of 200 seats were used in the 30 days to 12 June 2026" in page
    assert "Research carries 70% of May 2026's cost" in page
    assert "1 of 3 connectors in use awaits review, 1 is banned" in page
    assert "What is charged adds up to the bill, and a department carries every cent of it" in page


def test_what_no_department_carries_is_said_beside_the_bill_that_adds_up(report: Report) -> None:
    carried = served_marts.MARTS["chargeback_monthly"].replace("'Sales'", "'Unmapped'", 1)
    page = seen(report(chargeback_monthly=carried))

    assert (
        "What is charged adds up to the bill; $300.25 of May 2026 is nobody's: Unmapped $300.25"
    ) in page
    assert "Every cent" not in page


def test_page_chat_and_status_tell_the_same_change_of_a_number(
    report: Report, command: Command, data_dir: DataDir
) -> None:
    page = seen(report())
    served_marts.write(data_dir)
    chat = command("summary").out
    screen = Console(width=200, file=StringIO(), force_terminal=False)
    show_numbers(published(warehouse_of(data_dir)).headlines, screen)
    assert isinstance(screen.file, StringIO)
    status = screen.file.getvalue()

    changes = [
        "30 (21%) more than 30 days before",
        "7 (5%) more than the week before",
        "15 points more than 30 days before",
        "$200 (25%) more than April",
    ]
    for told in (page, chat, status):
        assert [change for change in changes if change in told] == changes
    assert "the same as the week before" in status and "the same as the week before" in page


def test_a_month_without_seat_fees_looks_unfinished_and_is_said(report: Report) -> None:
    bills = """
        select
            *,
            billed_usd as allocated_usd,
            billed_usd - billed_usd as difference_usd,
            'No price is set for it' as note,
            true as is_settled
        from (values
            (date '2026-03-01', 'metered', 40::decimal(38, 8), 31),
            (date '2026-04-01', 'metered', 50::decimal(38, 8), 30),
            (date '2026-04-01', 'seats', null, 30),
            (date '2026-05-01', 'metered', 60::decimal(38, 8), 31),
            (date '2026-05-01', 'seats', 940::decimal(38, 8), 31)
        ) as bills (month, cost_pool, billed_usd, covered_days)
    """
    page = report(chargeback_reconciliation_monthly=bills)
    found = re.search(r'<script type="application/json" id="specs">(.*?)</script>', page, re.DOTALL)
    assert found
    parts, outlined, ends = json.loads(found[1])["bill"]["layer"]

    assert "Outlined: seat fees of March and April are unknown and in no total" in seen(page)
    found_unknown = [(row["name"], row["text"]) for row in outlined["data"]["values"]]
    assert found_unknown == [("Apr 2026", "unknown"), ("Mar 2026", "unknown")]
    assert "Apr 2026" in [row["name"] for row in parts["data"]["values"]]
    texts = {row["name"]: row["text"] for row in ends["data"]["values"]}
    assert texts == {
        "Mar 2026": "$40 + unknown",
        "Apr 2026": "$50 + unknown",
        "May 2026": "$1,000",
    }
    assert "more than April" not in seen(page)


def test_months_stand_newest_first_without_empty_ones_in_words_of_a_board(report: Report) -> None:
    months = """
        select * from (values
            (date '2026-03-01', null, null, 0, 31),
            (date '2026-04-01', 90, 1, 30, 30),
            (date '2026-05-01', 95, 2, 31, 31)
        ) as months (month, active_users, banned_connectors_used, covered_days, month_days)
    """
    page = report(adoption_governance_monthly=months)

    assert "By month May 2026 Apr 2026 People active in the month 95 90" in (
        seen(page).replace("Governance, by month", "By month")
    )
    assert "Mar 2026" not in seen(page).partition("Governance")[2]
    assert 'class="scroll by-month"' in page and 'data-month="Apr 2026"' in page


def test_who_left_and_still_has_access_is_the_first_that_needs_attention(report: Report) -> None:
    page = report(
        offboarding_check="select true as has_seat, 0 as residual_active_days, 'user_x' as user_id"
    )
    attention = seen(page).partition("Needs attention")[2]

    assert attention.strip().startswith("1 person who left kept a seat")


def test_a_list_of_approvals_that_is_not_set_is_one_sentence_and_no_alarm(
    report: Report,
) -> None:
    page = report(
        connector_audit="select * from (values ('github', 'unreviewed'), ('jira', 'unreviewed'))"
        " as approvals (connector_name, approval)",
        skill_audit="select 'pdf' as skill_name, 'unreviewed' as approval",
    )
    words = seen(page)

    assert words.count("No list of approved connectors and skills is set") == 1
    assert "await review" not in words and "awaits review" not in words
    assert {row["kind"] for row in drawn_values(page, "connectors")} == {""}


def test_seats_whose_use_is_not_known_are_not_called_used(report: Report) -> None:
    known = served_marts.MARTS["seats"]
    page = seen(report(seats=f"select * replace ('unknown' as seat_status) from ({known})"))

    assert "it is not known whether they stand idle: days are missing." in page
    assert "No seat stands idle" not in page
    assert "0 seats to reclaim" not in page


def test_a_missing_day_is_a_gap_and_never_zero(report: Report) -> None:
    values = drawn_values(report(), "active-people")

    assert len(values) == 73
    assert [row["day"] for row in values if row["monthly"] is None] == ["2026-05-10"]
    assert [row["monthly_text"] for row in values if row["day"] == "2026-05-10"] == ["not known"]


def test_a_day_without_a_row_is_a_gap_too(report: Report) -> None:
    mart = f"select * from ({served_marts.MARTS['active_users_daily']}) where {served_marts.KNOWN}"
    values = drawn_values(report(active_users_daily=mart), "active-people")

    assert len(values) == 73
    assert [row["day"] for row in values if row["monthly"] is None] == ["2026-05-10"]


def test_a_stickiness_whose_week_is_not_whole_is_not_known(report: Report) -> None:
    values = drawn_values(report(), "stickiness")

    unknown = [row["day"] for row in values if row["rate"] is None]
    assert unknown == [f"2026-05-{day}" for day in range(10, 17)]


def test_a_month_that_is_not_whole_says_so(report: Report) -> None:
    page = report()

    assert [row["name"] for row in drawn_values(page, "bill")] == [
        "Apr 2026",
        "May 2026",
        "Jun 2026*",
    ]
    assert "not all days are loaded (June 12 of 30 days)" in seen(page)
    assert "May 2026 cost $1,001" in seen(page)


def test_a_bill_that_does_not_add_up_is_said_first(report: Report) -> None:
    mart = served_marts.MARTS["chargeback_reconciliation_monthly"].replace(
        "1000.5::decimal(38, 8), 31", "1000.49999999::decimal(38, 8), 31"
    )
    page = seen(report(chargeback_reconciliation_monthly=mart))

    attention = page[page.index("Needs attention") :]
    assert attention.startswith(
        "Needs attention In May 2026 the bill and what departments were charged differ by "
        "$0.00000001."
    )
    assert "The bill and what was charged differ by $0.00000001 in May 2026" in page


def test_unreviewed_and_banned_connectors_come_first(report: Report) -> None:
    page = seen(report())
    table = page[page.index("Connectors in the 30 days") :]

    assert table.index("Data Lake Banned") < table.index("jira Unreviewed")
    assert table.index("jira Unreviewed") < table.index("github Approved")
    assert "github Approved 120 4 30" in table


def test_missing_days_are_named_in_the_data_section(report: Report) -> None:
    page = seen(report())

    assert "1 endpoint day is missing and will be asked for again (Users, 10 May)." in page
    assert "99% of the days are loaded" in page
    assert {
        row["kind"] for row in drawn_values(report(), "coverage") if row["day"] == "2026-05-10"
    } == {"Loaded", "Missing"}


def test_nobody_is_named_without_with_people(report: Report) -> None:
    page = report()

    assert [text for text in (*PERSONAL, "@org.example") if text in page] == []
    assert "Letters to (e-mail)" in unescape(page)
    assert "1 project with fewer than 5 people on every day: not named here" in seen(page)


def test_with_people_the_holders_of_idle_seats_are_named(report: Report) -> None:
    page = seen(report("--with-people"))

    assert "This copy names people." in page
    holders = page[page.index("Holders of the seats to reclaim") :]
    assert "Cyd Curie cyd@org.example Sales Never used $45.00" in holders
    assert "Bob Babbage bob@org.example Sales 2026-04-20" in holders
    assert "Ada Lovelace" not in page


def test_recommendations_leave_out_who_is_exempt(report: Report) -> None:
    mart = """
        select * from (values
            ('user_bob', 'reclaim', 45::decimal(38, 8), 'not active for 53 days', 'dormant'),
            ('user_cyd', 'keep', null, 'exempt', 'never_active')
        ) as found (user_id, recommendation, monthly_saving_usd, reason, seat_status)
    """
    page = seen(report("--with-people", seat_recommendations=mart))

    assert "1 seat could be reclaimed, which would save $45 a month" in page
    assert "Not used in a while 1 $45.00" in page
    assert "2026-04-20 Not used in a while not active for 53 days $45.00" in page
    assert "cyd@org.example" not in page


def test_names_cannot_break_out_of_the_page(report: Report) -> None:
    page = report()

    assert "</script><b>" not in page
    assert "Hiring & more" in seen(page)


@pytest.mark.parametrize("mart", [name for name in served_marts.MARTS if name != "connector_audit"])
def test_a_mart_that_is_absent_takes_only_its_part_away(report: Report, mart: str) -> None:
    page = seen(report(**{mart: None}))

    assert "Adoption" in page and "Seats" in page and "Money" in page and "Security" in page
    if mart not in ("chargeback_monthly", "metric_reconciliation_daily"):
        assert f"{mart} is not published yet. Run claude-warehouse transform" in page or (
            mart == "seats" and "not published" in page
        )


def test_a_column_that_is_absent_is_told(report: Report) -> None:
    mart = f"select activity_date from ({served_marts.MARTS['seat_utilization_daily']})"
    page = seen(report(seat_utilization_daily=mart))

    assert "Use of seats: the mart seat_utilization_daily has no pending_invites" in page


def test_growth_and_unit_costs_are_shown_when_their_marts_are_there(report: Report) -> None:
    growth = """
        select * from (values
            (date '2026-04-01', 90, null, null, null, null),
            (date '2026-05-01', 100, 20, 70, 10, 20),
            (date '2026-06-01', 110, 15, 90, 5, 10)
        ) as months (
            month, active_users, new_users, retained_users, resurrected_users, churned_users
        )
    """
    costs = """
        select * from (values
            (date '2026-04-01', 8.10::decimal(38, 8), 40::decimal(38, 8), 0.5),
            (date '2026-05-01', 8.60::decimal(38, 8), 41::decimal(38, 8), null),
            (date '2026-06-01', 3.20::decimal(38, 8), null, null)
        ) as months (
            month, spend_per_active_user_usd, seat_fees_per_active_user_usd, cache_read_rate
        )
    """
    page = report(growth_monthly=growth, unit_economics_monthly=costs)

    assert "In June 2026 15 people started with Claude and 10 stopped" in seen(page)
    assert [row["value"] for row in drawn_values(page, "growth")] == [
        70,
        10,
        20,
        -20,
        90,
        5,
        15,
        -10,
    ]
    assert "An active person cost $49.60 in May 2026: $1.50 (3%) more than the month before" in (
        seen(page)
    )
    assert (
        "Metered spend per active person $3.20 $8.60 $8.10 "
        "Seat fees per active person – $41.00 $40.00"
    ) in seen(page)
    assert "Share of input read from cache – – 50%" in seen(page)


def test_before_the_first_run_the_report_says_what_to_run(command: Command) -> None:
    ended = command("report")

    assert ended.exit_code == FAILED
    assert "There are no published marts" in ended.err
    assert "Run: claude-warehouse sync" in ended.err


def test_without_a_loaded_day_the_report_says_what_to_run(
    command: Command, data_dir: DataDir
) -> None:
    empty = {name: f"select * from ({sql}) where false" for name, sql in served_marts.MARTS.items()}
    served_marts.write(data_dir, empty)
    ended = command("report")

    assert ended.exit_code == FAILED
    assert "no day is loaded" in ended.err
    assert "Run: claude-warehouse sync" in ended.err
    assert not (data_dir.root / "report.html").exists()


def test_a_file_that_cannot_be_written_is_told(
    command: Command, data_dir: DataDir, tmp_path: Path
) -> None:
    served_marts.write(data_dir)
    (tmp_path / "file").touch()
    ended = command(f"report --out {tmp_path}/file/report.html")

    assert ended.exit_code == FAILED
    assert "The report could not be written" in ended.err


@pytest.mark.parametrize("chart", ["active-people", "chargeback", "coverage"])
def test_a_chart_can_be_a_picture(
    command: Command, data_dir: DataDir, tmp_path: Path, chart: str
) -> None:
    served_marts.write(data_dir)
    out = tmp_path / "chart.png"
    ended = command(f"report --format png --chart {chart} --out {out}")

    assert ended.exit_code == DONE, ended.err
    assert out.read_bytes().startswith(b"\x89PNG")


def test_what_a_star_means_travels_with_the_picture(data_dir: DataDir) -> None:
    served_marts.write(data_dir)
    with warehouse_of(data_dir).serve() as served:
        bill = figure(served, ChartName.BILL, None, with_people=False)
    assert isinstance(bill, Figure)
    drawing = charts.picture(bill.chart, bill.title, "Claude usage", bill.caption)

    assert "Jun 2026*" in json.dumps(drawing)
    assert "* and faint: not all days are loaded (June 12 of 30 days)" in " ".join(
        drawing["title"]["subtitle"]
    )


def test_a_chart_without_its_mart_is_told(command: Command, data_dir: DataDir) -> None:
    served_marts.write(data_dir)
    ended = command("report --format png --chart growth")

    assert ended.exit_code == FAILED
    assert "growth_monthly is not published yet" in ended.err


@pytest.mark.parametrize(
    "words", ["report --format png", "report --format png --chart pie", "report --format html"]
)
def test_a_picture_needs_a_chart_and_the_message_names_them(
    command: Command, data_dir: DataDir, words: str
) -> None:
    served_marts.write(data_dir)
    if words.endswith("html"):
        words += " --chart products"
    ended = command(words)

    assert ended.exit_code == WRONG_USAGE
    told = " ".join(ended.err.replace("│", " ").split())
    assert "products" in told
    if not words.endswith("products"):
        assert all(name in told for name in ChartName)


def test_sync_writes_the_report_when_it_is_enabled(
    api: Sandbox, command: Command, data_dir: DataDir, query: Query
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    ended = command("sync --today 2026-01-08", REPORT__ENABLED="true")

    assert ended.exit_code == DONE, ended.err
    assert f"Report: {data_dir.root / 'report.html'}" in ended.out
    page = (data_dir.root / "report.html").read_text()
    assert "sync as of 2026-01-08" in seen(page)
    assert "user_1" not in page


def test_a_report_of_100000_seats_and_a_year_is_quick_and_small(
    command: Command, data_dir: DataDir, tmp_path: Path
) -> None:
    year = DAYS.replace("2026-04-01", "2025-06-13")
    marts = {name: sql.replace(DAYS, year) for name, sql in served_marts.MARTS.items()}
    marts["seats"] = """
        select
            'user_' || n as user_id,
            n || '@org.example' as email,
            'Person ' || n as name,
            'Team ' || n % 500 as department,
            case n % 5 when 0 then 'dormant' else 'active' end as seat_status,
            date '2026-06-12' as last_active_date,
            date '2026-06-12' as as_of_date,
            cast(45 as decimal(38, 8)) as seat_cost_usd_per_month
        from range(100000) as people (n)
    """
    marts["project_usage_daily"] = f"""
        select
            activity_date,
            'proj_' || n as project_id,
            'Project ' || n as project_name,
            n % 40 as distinct_user_count,
            9 as message_count
        from ({year}), range(2000) as projects (n)
    """
    marts["chargeback_monthly"] = """
        select
            month::date as month,
            'CC' || n as cost_center,
            'Team ' || n as department,
            pool as cost_pool,
            (n + 1)::decimal(38, 8) as amount_usd,
            200 as seat_count,
            100 as active_user_count,
            'seats' as allocation_method,
            31 as covered_days,
            true as is_settled
        from
            generate_series(date '2025-07-01', date '2026-05-01', interval 1 month) as m (month),
            range(500) as teams (n),
            (values ('seats'), ('metered'), ('shared')) as pools (pool)
    """
    served_marts.write(data_dir, marts)
    started = sum(os.times()[:4])  # What processors worked: others may use them too.
    ended = command(f"report --out {tmp_path}/report.html --with-people")

    assert ended.exit_code == DONE, ended.err
    assert sum(os.times()[:4]) - started < 20
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("There is no Chromium on this machine; apt-get install chromium brings it.")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=as_root)
        yield chromium
        chromium.close()


Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, report: Report, tmp_path: Path) -> Iterator[Opened]:
    """The page in Chromium, all its charts drawn; nothing was asked of a network or complained."""
    pages: list[Page] = []
    said: list[str] = []

    def open_page(*, width: int = 1280, scheme: Any = "light", **marts: str | None) -> Page:
        report(**marts)
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id="Asia/Tokyo"
        )
        pages.append(page)
        address = f"file://{tmp_path}/report.html"
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: said.append(asked.url) if asked.url != address else None)
        page.goto(address)
        page.wait_for_function(
            "!document.querySelector('[data-chart]:not([data-drawn])')", timeout=30_000
        )
        return page

    yield open_page
    assert said == []
    for page in pages:
        page.close()


def test_every_chart_is_drawn(opened: Opened) -> None:
    page = opened()

    marks: dict[str, int] = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('[data-chart]')].map(chart =>
            [chart.dataset.chart, chart.querySelectorAll('svg .role-mark path').length]))"""
    )
    assert marks.keys() == set(DRAWN)
    assert [chart for chart, count in marks.items() if not count] == []


def test_the_line_breaks_at_the_missing_day(opened: Opened) -> None:
    page = opened()

    paths: list[str] = page.evaluate(
        """[...document.querySelectorAll('[data-chart=active-people] .mark-line path')]
            .map(path => path.getAttribute('d'))"""
    )
    assert len(paths) >= 4
    assert [path.count("M") for path in paths] == [2] * len(paths)


def test_hovering_shows_the_day_and_its_numbers(opened: Opened) -> None:
    page = opened()
    chart = page.locator("[data-chart=active-people] svg")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    for right in (0.3, 0.5):
        page.mouse.move(box["x"] + box["width"] * right, box["y"] + box["height"] / 2)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=5_000)

    assert re.search(r"\w{3} \d+ \w{3} 2026", tooltip.inner_text())
    assert "In 30 days" in tooltip.inner_text()


def test_hovering_a_bar_shows_its_numbers(opened: Opened) -> None:
    page = opened()
    bar = page.locator("[data-chart=products] .mark-rect path").first
    bar.scroll_into_view_if_needed()
    bar.hover()
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=5_000)

    assert "Chat" in tooltip.inner_text()
    assert "129" in tooltip.inner_text()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(opened: Opened, width: int) -> None:
    page = opened(width=width)
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true }")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    drawn: list[float] = page.evaluate(
        """[...document.querySelectorAll('[data-chart] svg :is(text, path)')]
            .map(each => each.getBoundingClientRect().right)"""
    )
    assert max(drawn) <= width


CONTRAST = """
(selector) => {
    const light = (colour) => {
        const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(Number)
            .map(each => each / 255)
            .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const property = selector.includes('svg') ? 'fill' : 'color';
    const found = [...document.querySelectorAll(selector)];
    const paper = light(getComputedStyle(document.body).backgroundColor);
    return found.map(each => {
        const ink = light(getComputedStyle(each)[property]);
        return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    });
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_in_light_and_dark(opened: Opened, scheme: str) -> None:
    page = opened(scheme=scheme)

    for words in ("h1", ".change", "figcaption", "summary", "svg text"):
        ratios = page.evaluate(CONTRAST, words)
        assert ratios
        assert min(ratios) >= 4.5, words


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_breaks_no_rule_of_accessibility(opened: Opened, scheme: str) -> None:
    page = opened(width=390 if scheme == "dark" else 1280, scheme=scheme)
    page.emulate_media(reduced_motion="reduce", color_scheme=scheme)  # type: ignore[arg-type]
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true }")
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")

    broken = {
        each["id"]: [node["target"] for node in each["nodes"][:3]] for each in found["violations"]
    }
    assert broken == {}
    assert len(found["passes"]) > 20
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_dark_is_dark_and_paper_is_white(opened: Opened) -> None:
    page = opened(scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"

    assert page.evaluate(ground) == "rgb(19, 24, 23)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()
    assert page.pdf().startswith(b"%PDF")


def test_a_reader_without_eyes_or_mouse_finds_the_way(opened: Opened) -> None:
    page = opened()

    assert page.locator("main, header, footer, nav").count() == 4
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].map(each => Number(each.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    names = page.evaluate(
        "[...document.querySelectorAll('figure [role=img]')].map(each => each.ariaLabel)"
    )
    assert all(name.startswith("Chart: ") for name in names)
    assert page.locator("figure table").count() == len(names)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the numbers"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    assert page.locator(".cards details").first.evaluate("each => each.open") is True
