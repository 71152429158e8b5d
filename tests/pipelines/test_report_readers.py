"""The report's parts for each reader: what changed and why, and a department's own page."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, WRONG_USAGE
from pipelines.reading.status_screen import published, show, show_numbers
from pipelines.report import SectionName, charts
from pipelines.warehouse import warehouse_of
from tests.conftest import Command
from tests.pipelines import served_marts
from tests.pipelines.test_report import drawn_values, seen

USD = "decimal(38, 8)"
ACTIVITY = f"""
    select
        activity_date,
        user_id,
        department,
        true as is_active
    from ({served_marts.DAYS}), (values
        ('user_ada', 'Lab', date '2026-04-01', date '2026-06-12'),
        ('user_new', 'Sales', date '2026-06-01', date '2026-06-12'),
        ('user_bac', 'Sales', date '2026-06-01', date '2026-06-12'),
        ('user_eve', 'Lab', date '2026-04-20', date '2026-05-01'),
        ('user_cyd', 'Sales', date '2026-04-20', date '2026-05-02')
    ) as people (user_id, department, first_date, last_date)
    where activity_date between first_date and last_date and {served_marts.KNOWN}
"""
READERS = {
    "user_activity_daily": ACTIVITY,
    "people": """
        select * from (values
            ('user_ada', date '2026-04-01', null),
            ('user_new', date '2026-06-01', null),
            ('user_bac', date '2026-03-01', null),
            ('user_eve', date '2026-04-20', date '2026-05-02'),
            ('user_cyd', date '2026-04-20', null)
        ) as people (user_id, first_active_date, left_date)
    """,
    "spend_daily": f"""
        select
            activity_date,
            product,
            model,
            department,
            cast(case when activity_date < date '2026-05-01' then before else since end as {USD})
                as spend_usd,
            10 as request_count,
            100 as output_tokens
        from ({served_marts.DAYS}), (values
            ('chat', 'sonnet', 'Sales', 1, 3),
            ('claude_code', 'opus', 'Lab', 2, 2.5)
        ) as products (product, model, department, before, since)
    """,
    "chargeback_reconciliation_monthly": f"""
        select
            *,
            billed_usd as allocated_usd,
            billed_usd - billed_usd as difference_usd,
            true as is_settled
        from (values
            (date '2026-04-01', 'metered', cast(90 as {USD}), 30),
            (date '2026-04-01', 'seats', cast(800.5 as {USD}), 30),
            (date '2026-05-01', 'metered', cast(170.5 as {USD}), 31),
            (date '2026-05-01', 'seats', cast(1000.5 as {USD}), 31)
        ) as bills (month, cost_pool, billed_usd, covered_days)
    """,
    "spend_changes_monthly": f"""
        select
            month,
            cast(before as {USD}) as previous_spend_usd,
            cast(now as {USD}) as spend_usd,
            cast(now - before as {USD}) as change_usd,
            cast(volume as {USD}) as volume_usd,
            cast(models as {USD}) as model_mix_usd,
            cast(cache as {USD}) as cache_usd,
            cast(now - before - volume - models - cache as {USD}) as fast_mode_usd,
            {
        ", ".join(
            f"cast(0 as {USD}) as {name}_usd"
            for name in (
                "product_mix",
                "output_share",
                "long_context",
                "price",
                "not_tokens",
                "unexplained",
            )
        )
    },
            cast(null as {USD}) as region_usd,
            cast(null as {USD}) as service_tier_usd
        from (values
            (date '2026-03-01', 80, 90, 4.004, 6.004, -0.009),
            (date '2026-04-01', 90, 60, -30, 0, 0),
            (date '2026-05-01', 60, 170.5, 90, 25, -7)
        ) as months (month, before, now, volume, models, cache)
    """,
    "retention_monthly": """
        select
            date '2026-04-01' as first_active_month, n as months_since, 10 as cohort_users,
            10 - n as retained_users, (10 - n) / 10 as retention_rate
        from range(3) as months (n)
    """,
    "activity_frequency_monthly": """
        select date '2026-05-01' as month, n as active_days, 31 - n as users,
            (31 - n) / 465 as user_rate, 1 as user_rate_at_least
        from range(1, 32) as days (n)
    """,
    "assistant_months": f"""
        select * from (values
            (date '2026-05-01', 'claude', 172, 900, cast(5 as {USD})),
            (date '2026-05-01', 'langdock', 40, 300, null)
        ) as months (month, vendor, active_users, message_count, cost_usd)
    """,
    "spend_forecast_monthly": f"""
        select
            date '2026-06-01' as month, cost_center, date '2026-06-14' as as_of_date,
            cast(spent as {USD}) as spent_usd, cast(100 as {USD}) as seat_fees_usd,
            cast(expected as {USD}) as expected_usd, cast(expected - 10 as {USD})
                as expected_low_usd, cast(expected + 10 as {USD}) as expected_high_usd,
            cast(budget as {USD}) as budget_usd
        from (values ('CC-1', 50, 300, 200), ('CC-2', 50, 250, 400), (null, 5, 20, null))
            as centers (cost_center, spent, expected, budget)
    """,
    "seat_recommendations": f"""
        select
            user_id, user_id || '@org.example' as email, user_id as name, department,
            'active' as seat_status, tier as seat_tier, wanted as recommendation,
            'few days' as reason, 3 as active_days_in_28, cast(saving as {USD})
                as monthly_saving_usd
        from (values
            ('user_ada', 'Lab', 'premium', 'downgrade', 40),
            ('user_bob', 'Sales', 'default', 'keep', 0)
        ) as seats (user_id, department, tier, wanted, saving)
    """,
    "offboarding_check": """
        select * from (values
            ('user_eve', 'eve@org.example', 'Eve Euler', 'Lab', true, 0, 'still holds a seat'),
            ('user_old', 'old@org.example', 'Old Owl', 'Sales', false, 0, null)
        ) as people (
            user_id, email, name, department, has_seat, residual_active_days, finding
        )
    """,
    "security_events": "select timestamp '2026-06-12 10:00:00' as event_at",
    "login_anomalies": "select date '2026-06-02' as event_date, 'mallory@org.example' as email",
}
DEPARTMENTS = {
    **READERS,
    "seats": """
        select
            'user_' || n as user_id, n || '@org.example' as email, 'Person ' || n as name,
            case when n < 8 then 'Lab' when n < 16 then 'Sales' when n < 24 then 'Research'
                else 'Tiny' end as department,
            case when n % 4 = 0 then 'dormant' else 'active' end as seat_status,
            date '2026-06-12' as last_active_date, date '2026-06-12' as as_of_date,
            cast(45 as decimal(38, 8)) as seat_cost_usd_per_month
        from range(25) as people (n)
    """,
    "team_adoption_monthly": """
        select date '2026-05-01' as month, department, 0.5 as adoption_rate, 9 as active_users
        from (values ('Sales'), ('Research'), ('Other')) as teams (department)
    """,
    "user_product_activity_daily": f"""
        select *, 'chat' as product from ({ACTIVITY})
    """,
    "seat_recommendations": None,
}

Written = Callable[..., str]


@pytest.fixture
def written(command: Command, data_dir: DataDir, tmp_path: Path) -> Written:
    """Write the page of these marts, with these words after `report`."""

    def write(words: str = "", **marts: str | None) -> str:
        served_marts.write(data_dir, {**READERS, **marts})
        out = tmp_path / "report.html"
        ended = command(f"report --out {out} {words}")
        assert ended.exit_code == DONE, ended.err
        return out.read_text()

    return write


@pytest.fixture(scope="module")
def whole() -> list[str]:
    """The whole page of these marts, once a test has written it."""
    return []


@pytest.fixture
def page(written: Written, whole: list[str]) -> str:
    if not whole:
        whole.append(written())
    return whole[0]


def steps(page: str, caption: str) -> list[list[str]]:
    """The cells of the table with this caption."""
    table = page[page.index(f"<caption>{caption}") :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[: table.index("</table>")], re.DOTALL)[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(cell) for cell in row] for row in cells]


def value(text: str) -> float:
    return float(re.sub(r"[$,+]", "", text.replace("−", "-")))


def test_the_change_of_active_people_is_explained_by_steps_that_add_up(page: str) -> None:
    first, *between, last = steps(page, "Why the number of active people changed")

    assert first == ["Active in the 30 days to 13 May 2026", "142"]
    assert last == ["Active in the 30 days to 12 June 2026", "172"]
    assert between == [
        ["New to Claude", "+1"],
        ["Came back", "+1"],
        ["Left the organisation", "−1"],
        ["Still here, and not active any more", "−1"],
        ["Counted by the API, and not in our rows", "+30"],
    ]
    assert value(first[1]) + sum(value(step[1]) for step in between) == value(last[1])


def test_the_change_of_the_bill_is_explained_by_steps_that_add_up(page: str) -> None:
    first, *between, last = steps(page, "Why the cost changed")

    assert (first, last) == (["Cost of April 2026", "$890.50"], ["Cost of May 2026", "$1,171.00"])
    assert between == [
        ["Seat fees", "+$200.00"],
        ["Chat", "+$63.00"],
        ["Claude Code", "+$17.50"],
    ]
    assert value(first[1]) + sum(value(step[1]) for step in between) == value(last[1])
    assert "most of all by Seat fees +$200 and Chat +$63" in seen(page)


def test_each_rise_of_use_has_a_sentence_whose_parts_add_up_to_it(page: str) -> None:
    words = seen(page)

    assert "Use in May 2026 cost $111 (184%) more than April, most of all by volume +$90" in words
    for rise, sentence in {
        "$110.50": (
            "more in May 2026 than in April: volume +$90.00, mix of models +$25.00, "
            "cache −$7.00 and fast mode +$2.50."
        ),
        "$10.00": (
            "more in March 2026 than in February: mix of models +$6.01, volume +$4.00 "
            "and cache −$0.01."
        ),
    }.items():
        assert f"Use cost {rise} {sentence}" in words
        assert re.sub(r"([+−])\$", "\\1\u2060$", sentence) in page, "no sign at a line's end"
        amounts = re.findall(r"[+−]\$\d+\.\d\d", sentence)
        assert round(sum(value(amount) for amount in amounts), 2) == value(rise)
    assert "in April 2026 than" not in words
    first, *between, last = steps(page, "Why use cost more or less, by month")
    for column in (1, 2, 3):
        parts = sum(value(row[column]) for row in between)
        assert round(value(first[column]) + parts, 2) == value(last[column])


def test_a_report_says_what_changed_since_the_last_one(
    written: Written, command: Command, data_dir: DataDir, tmp_path: Path
) -> None:
    until = "where activity_date <= date '2026-06-05'"
    earlier = {
        name: f"select * from ({sql}) {until}"
        for name, sql in {**served_marts.MARTS, **READERS}.items()
        if name in ("active_users_daily", "spend_daily", "user_activity_daily")
    }
    spend = earlier["spend_daily"]
    # A day that the first report had at half its cost is corrected later.
    earlier["spend_daily"] = (
        f"select * replace (case when activity_date = date '2026-06-01' then spend_usd / 2 "
        f"else spend_usd end as spend_usd) from ({spend})"
    )
    assert "Since the report" not in seen(written(**earlier))
    page = written()
    again = written()

    first, *between, last = steps(page, "What changed since the report")
    assert first[1:] == ["165", "$24.75"] and last[1:] == ["172", "$66.00"]
    assert ["Corrected since, of days that were in it", "", "+$2.75"] in between
    assert ["New days", "", "+$38.50"] in between
    for place in (1, 2):
        changes = sum(value(step[place]) for step in between if step[place])
        assert value(first[place]) + changes == value(last[place])
    # The same day's second report is about the same change.
    assert steps(again, "What changed since the report") == [first, *between, last]
    kept = json.loads(data_dir.reports.read_text())
    assert [each["newest_day"] for each in kept] == ["2026-06-05", "2026-06-12"]
    assert "user_" not in data_dir.reports.read_text()
    ended = command(f"report --out {tmp_path}/report.html --since 2026-01-31")
    assert ended.exit_code == DONE
    assert "Since the report" not in seen((tmp_path / "report.html").read_text())


def test_a_memory_that_is_damaged_is_no_memory(written: Written, data_dir: DataDir) -> None:
    data_dir.root.mkdir(parents=True)
    data_dir.reports.write_text('[{"newest_day": 5}]')

    assert "Since the report" not in seen(written())
    assert json.loads(data_dir.reports.read_text())[0]["newest_day"] == "2026-06-12"


@pytest.mark.parametrize(
    ("chart", "sentence"),
    [
        ("retention", "Of 10 people who began in April 2026, 9 were active 1 month later"),
        ("active-days", "136 of 465 people (29%) used Claude on 15 days or more of May 2026"),
        ("assistants", "People in May 2026: Claude 172 and Langdock 40"),
        ("spend", "Chat causes 55% of what use cost in May 2026; sonnet is the model with most"),
        ("forecast", "June 2026 is expected to cost $570, $50 below the budget of $600"),
    ],
)
def test_each_reader_finds_the_chart_with_its_finding(page: str, chart: str, sentence: str) -> None:
    assert sentence in seen(page)
    assert drawn_values(page, chart)


def test_a_budget_that_will_not_do_needs_attention(page: str) -> None:
    attention = seen(page).partition("Needs attention")[2]

    assert "June is expected to be over the budget of 1 cost center: CC-1 by $100." in attention
    assert "all ranges together reach from $540 to $600" in seen(page)


def test_security_has_leavers_first_and_counts_without_names(page: str) -> None:
    words = seen(page)
    attention = words.partition("Needs attention")[2].strip()

    assert attention.startswith("1 person who left kept a seat or used one afterwards")
    assert 'href="#security"' in page
    assert "Still holds a seat 1" in words and "Unusual sign-ins 1 in 30 days" in words
    assert "1 sign-in was unusual in the 30 days to 12 June 2026" in words
    assert not [name for name in ("Eve Euler", "mallory", "@org.example") if name in page]


def test_seats_that_could_be_cheaper_are_counted(page: str) -> None:
    assert "1 seat could be made cheaper, which would save $40 a month" in seen(page)
    assert "user_ada" not in page


def test_with_people_leavers_and_holders_are_named(written: Written) -> None:
    words = seen(written("--with-people --sections seats,security"))

    assert "Eve Euler eve@org.example Lab still holds a seat" in words
    assert "user_ada user_ada@org.example Lab premium 3 $40.00" in words


def test_sections_are_chosen_with_their_numbers(written: Written) -> None:
    page = written("--sections seats,Money")
    shown = re.findall(r'<section id="(\w+)"', page)

    assert shown == ["money", "seats"]
    assert re.findall(r'<li id="number-(\w+)"', page) == ["utilization", "bill", "reclaimable"]
    assert "People active in 30 days" not in seen(page)
    assert set(re.findall(r'href="#(\w+)"', page)) <= {"main", "money", "seats"}


def test_the_whole_page_has_a_section_for_each_reader(page: str) -> None:
    assert re.findall(r'<section id="(\w+)"', page) == list(SectionName)


@pytest.mark.parametrize("names", ["moneys", "money,pie", ","])
def test_a_section_that_is_none_is_told_with_those_that_are(command: Command, names: str) -> None:
    ended = command(f"report --sections {names}")

    assert ended.exit_code == WRONG_USAGE
    told = " ".join(ended.err.replace("│", " ").split())
    assert all(name in told for name in SectionName)


def test_a_part_of_the_report_does_not_replace_the_whole(
    command: Command, data_dir: DataDir
) -> None:
    served_marts.write(data_dir)
    ended = command("report --sections data")

    assert ended.exit_code == DONE, ended.err
    assert (data_dir.root / "report-data.html").exists()
    assert not (data_dir.root / "report.html").exists()


def test_a_department_has_a_page_with_its_own_numbers_alone(written: Written) -> None:
    page = written("--department sALES", **DEPARTMENTS)
    words = seen(page)

    assert "2 people of Sales used Claude in the 30 days to 12 June 2026" in words
    assert "2 seats to reclaim" in words
    assert "May 2026 cost $300.25" in words.replace("$300 ", "$300.25 ")
    assert "Chat causes 100% of what use cost in May 2026" in words
    assert "claude_code" not in page and "opus" not in page
    # The rest of the organisation is not told, and nobody is named.
    for other in ("Lab", "Research", "172", "142", "CC-1", "Langdock"):
        assert other not in words
    assert "@org.example" not in page and "Person " not in page
    assert re.findall(r'<section id="(\w+)"', page) == ["adoption", "money", "seats", "security"]


def test_the_numbers_of_a_department_are_those_of_its_rows(written: Written) -> None:
    values = drawn_values(written("--department Sales", **DEPARTMENTS), "active-people")
    of_day = {row["day"]: (row["daily"], row["weekly"], row["monthly"]) for row in values}

    assert of_day["2026-05-02"] == (1, 1, 1)
    assert of_day["2026-06-12"] == (2, 2, 2)
    assert of_day["2026-05-10"] == (None, None, None)


@pytest.mark.parametrize("small", ["Tiny", "Lab"])
def test_a_department_that_is_too_small_has_no_page(
    command: Command, data_dir: DataDir, small: str
) -> None:
    served_marts.write(data_dir, {**READERS, **DEPARTMENTS})
    ended = command(f"report --department {small}")

    assert ended.exit_code == FAILED
    assert "would tell of persons" in ended.err
    assert "Departments with a page: Research and Sales." in ended.err


def test_people_without_a_department_do_not_lead_the_departments(written: Written) -> None:
    page = written(
        team_adoption_monthly="""
            select date '2026-05-01' as month, department, rate as adoption_rate, 9 as active_users
            from (values ('Unmapped', 1.0), ('Sales', 0.75), ('Research', 0.5), ('Other', 0.25))
                as teams (department, rate)
        """
    )

    assert "Sales leads with 75" in page and "Research has 50" in page
    assert "Unmapped leads" not in page


def test_without_the_mart_of_teams_the_one_that_hides_a_small_department_has_no_page_either(
    command: Command, data_dir: DataDir
) -> None:
    served_marts.write(data_dir, {**READERS, **DEPARTMENTS, "team_adoption_monthly": None})

    assert command("report --department Tiny").exit_code == FAILED
    assert command("report --department Lab").exit_code == FAILED
    assert command("report --department Sales").exit_code == DONE


def test_a_department_that_is_not_there_is_told_with_those_that_are(
    command: Command, data_dir: DataDir
) -> None:
    served_marts.write(data_dir, {**READERS, **DEPARTMENTS})
    ended = command("report --department Marketing")

    assert ended.exit_code == FAILED
    assert "There is no department Marketing." in ended.err and "Sales" in ended.err
    assert "Tiny" not in ended.err


def test_a_flat_line_has_a_scale_that_says_where_it_begins(page: str) -> None:
    assert "The scale does not begin at 0 but at 20%." in seen(page)
    assert charts.start_of([{"a": 0.9}, {"a": 0.92}], ["a"]) == 0.85
    assert charts.start_of([{"a": 0.1}, {"a": 0.9}], ["a"]) == 0
    assert charts.start_of([{"a": None}], ["a"]) == 0


def test_every_stickiness_says_whose_it_is(page: str) -> None:
    words = seen(page)

    assert "of monthly users, weekly mean" in words
    assert "Stickiness: people active on a day ÷ in 30 days, the mean of the 7 days" in words
    assert "Stickiness of a day" in words


def test_a_table_is_whole_or_says_that_it_scrolls(page: str) -> None:
    for box, caption, body in re.findall(
        r'<div class="scroll([^"]*)".*?<caption>(.*?)</caption>.*?<tbody>(.*?)</tbody>',
        page,
        re.DOTALL,
    ):
        assert ("long" in box) == ("the box scrolls" in caption)
        assert "long" in box or "by-month" in box or body.count("<tr>") <= 24


def test_page_chat_status_and_served_file_have_the_same_numbers(
    page: str, command: Command, data_dir: DataDir
) -> None:
    served_marts.write(data_dir, READERS)
    with duckdb.connect(str(data_dir.served), read_only=True) as served:
        served.execute("use claude_marts")
        [stored] = served.execute(
            """
            select
                (select reported_monthly_active_users from active_users_daily
                    where activity_date = date '2026-06-12') as monthly_active,
                (select reported_weekly_active_users from active_users_daily
                    where activity_date = date '2026-06-12') as weekly_active,
                (select round(100 * monthly_utilization_rate)::int || '%'
                    from seat_utilization_daily where activity_date = date '2026-06-12')
                    as utilization,
                (select '$' || format('{:,}', sum(billed_usd)::int)
                    from chargeback_reconciliation_monthly where month = date '2026-05-01') as bill
            """
        ).fetchall()
    cards = dict(
        re.findall(r'<li id="number-(\w+)">\s*<p class="value">(.*?)</p>', page, re.DOTALL)
    )
    names = ("monthly_active", "weekly_active", "utilization", "bill")
    chat = command("summary").out
    screen = Console(width=200, file=StringIO())
    show_numbers(published(warehouse_of(data_dir)).headlines, screen)
    assert isinstance(screen.file, StringIO)

    assert [cards[name] for name in names] == [str(value) for value in stored]
    labels = ("people active in 30 days", "people active in 7 days", "of seats used", "cost of May")
    for told in (chat, screen.file.getvalue(), seen(page)):
        for number, label in zip(stored, labels, strict=True):
            assert f"{number} {label}" in told


MONEY = ("costs", "cost_totals", "usage", "usage_totals")
PEOPLE = ("artifacts", "chat_projects", "connectors", "plugins", "skills", "summaries", "users")


def usual_state(data_dir: DataDir) -> dict[str, Any]:
    """A warehouse with every source, the morning after a night without a problem."""

    def endpoint(name: str, first: date, last: date) -> dict[str, Any]:
        days = (last - first).days + 1
        return {
            "endpoint": name, "outcome": "ok", "message": None, "newest_available_date": last,
            "first_loaded_date": first, "last_loaded_date": last, "loaded_days": days - 3,
            "empty_days": 3, "missing_days": None, "lost_days": None, "row_count": 9_000,
            "rejected_row_count": 0, "undeclared_fields": None,
        }  # fmt: skip

    nothing: dict[str, Any] = {"message": None}
    return {
        "as_of": date(2026, 6, 15),
        "warehouse": str(data_dir.warehouse),
        "served": "/srv/claude/data/serving.duckdb",
        "running": None,
        "last_run": {
            "command": "sync", "run_at": "2026-06-15T10:45:00+00:00", "exit_code": 0,
            "ended_at": "2026-06-15T10:57:41+00:00", "seconds": 761, "problems": [],
            "warnings": [],
        },
        "is_record_damaged": False,
        "doubts": [],
        "endpoints": [
            *(endpoint(name, date(2026, 3, 17), date(2026, 6, 12)) for name in PEOPLE),
            *(endpoint(name, date(2026, 1, 1), date(2026, 6, 14)) for name in MONEY),
        ],
        "cost_api": "unified",
        "cost_apis": {},
        "activity_feed": {
            **nothing, "outcome": "ok", "event_count": 33_669, "rejected_row_count": 0,
            "read_from": datetime(2026, 1, 1), "read_until": datetime(2026, 6, 14, 23, 58),
        },
        "roster": {
            **nothing, "snapshot_at": datetime(2026, 6, 15, 10, 46),
            "row_counts": {"members": 245, "invites": 268}, "refusals": {},
        },
        "sources": {
            "langdock": {
                **nothing, "title": "Langdock", "unit_count": 8, "row_count": 288,
                "rejected_row_count": 0, "first_date": date(2026, 3, 1),
                "last_date": date(2026, 5, 31), "endpoints": {},
            }
        },
    }  # fmt: skip


def test_the_usual_status_fits_a_screen(data_dir: DataDir) -> None:
    data_dir.root.mkdir(parents=True)
    quiet = {
        "connector_audit": "select 'github' as connector_name, 'approved' as approval",
        "unit_economics_monthly": f"""
            select date '2026-05-01' as month, cast(40.1 as {USD}) as spend_per_active_user_usd,
                cast(54.77 as {USD}) as seat_fees_per_active_user_usd
        """,
    }
    served_marts.write(data_dir, quiet)
    screen = Console(width=80, height=24, file=StringIO(), force_terminal=True, color_system=None)
    show(usual_state(data_dir), warehouse_of(data_dir), screen)
    assert isinstance(screen.file, StringIO)
    lines = screen.file.getvalue().splitlines()

    assert len(lines) < 24, lines
    assert max(len(line) for line in lines) <= 80
    text = " ".join(" ".join(lines).split())
    for told in (
        "2 seats to reclaim", "172 people active in 30 days", "$1,001 cost of May 2026",
        "$94.87 per active person in May", "Last run sync, ended 2026-06-15 10:57 UTC",
        "245 members", "33,669 events", "Langdock 288 rows", "users + 6 more", "costs",
    ):  # fmt: skip
        assert told in text
