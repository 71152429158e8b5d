"""The whole run against an invented organisation, and the numbers it ends with."""

import csv
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipelines.load import Clock
from pipelines.run import Listener, RunResult, sync
from pipelines.warehouse import DataDir
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_compliance import ComplianceSettings

TODAY = date(2026, 6, 15)
SEATS = 250
REQUESTS_PER_MINUTE = 6_000
SEAT_PRICES = "seat_tier,usd_per_month,valid_from\ndefault,40.00,\ndefault,45.00,2026-05-01\n"


@dataclass(frozen=True)
class Headline:
    """A question that people ask, and the mart that answers it."""

    title: str
    query: str


HEADLINES = (
    Headline(
        "Active users on the newest day (active_users_daily)",
        """
        select
            activity_date,
            computed_daily_active_users as daily,
            computed_weekly_active_users as weekly,
            computed_monthly_active_users as monthly,
            round(stickiness_rate, 3) as stickiness_rate
        from claude_marts.active_users_daily
        where computed_monthly_active_users is not null
        order by activity_date desc
        limit 1
        """,
    ),
    Headline(
        "Seats (seat_utilization_daily)",
        """
        select
            activity_date,
            assigned_seats,
            pending_invites,
            round(monthly_utilization_rate, 3) as monthly_utilization_rate
        from claude_marts.seat_utilization_daily
        where assigned_seats is not null
        order by activity_date desc
        limit 1
        """,
    ),
    Headline(
        "People by seat status (seats)",
        """
        select seat_status, count(*) as people
        from claude_marts.seats
        group by seat_status
        order by people desc, seat_status
        """,
    ),
    Headline(
        "May's seat fees by department (chargeback_monthly)",
        """
        select department, cost_center, seat_count, active_user_count, amount_usd
        from claude_marts.chargeback_monthly
        where month = date '2026-05-01'
        order by amount_usd desc, department
        """,
    ),
    Headline(
        "May's bill against its parts (chargeback_reconciliation_monthly)",
        """
        select month, billed_usd, allocated_usd, difference_usd
        from claude_marts.chargeback_reconciliation_monthly
        where month = date '2026-05-01'
        """,
    ),
    Headline(
        "Most used connectors in the last 30 days (connector_usage_daily)",
        """
        select
            connector_name,
            cast(sum(distinct_user_count) as bigint) as distinct_user_days,
            cast(sum(write_call_count) as bigint) as write_calls
        from claude_marts.connector_usage_daily
        where activity_date > date '2026-05-13'
        group by connector_name
        order by distinct_user_days desc, connector_name
        limit 5
        """,
    ),
    Headline(
        "Loaded days (data_coverage_daily)",
        """
        select
            endpoint,
            count(*) filter (status = 'loaded') as loaded,
            count(*) filter (status = 'empty') as empty,
            count(*) filter (status in ('missing', 'lost')) as missing,
            cast(sum(row_count) as bigint) as row_count
        from claude_marts.data_coverage_daily
        group by endpoint
        order by endpoint
        """,
    ),
    Headline(
        "Audit: privilege changes on the last day (privilege_changes)",
        """
        select
            privilege_change,
            event_type,
            coalesce(subject_email, subject_id) as whose,
            coalesce(privilege, previous_value || ' to ' || current_value) as what,
            coalesce(actor_email, actor_type) as by_whom,
            event_at
        from claude_marts.privilege_changes
        where event_date = (select max(event_date) from claude_marts.security_events)
        order by event_at, whose
        """,
    ),
    Headline(
        "Audit: keys never used, or not for 90 days (api_key_hygiene)",
        """
        select api_key_id, owner_email, age_days, days_since_used, has_owner_left, scopes
        from claude_marts.api_key_hygiene
        where status = 'active' and (is_never_used or days_since_used > 90)
        order by age_days desc, api_key_id
        """,
    ),
    Headline(
        "Audit: people who left and still have access (api_key_hygiene, login_anomalies)",
        """
        select owner_email as who, owner_left_at as left_at, 'owns key ' || api_key_id as access
        from claude_marts.api_key_hygiene
        where has_owner_left and status = 'active'
        union all
        select email, contradicted_at, 'signed in at ' || event_at
        from claude_marts.login_anomalies
        where observed_value = 'signed in after leaving'
        order by left_at, who
        """,
    ),
)


def demo(data_dir: DataDir, listener: Listener) -> RunResult:
    """Load the sandbox's organisation into the folder, which is emptied first."""
    from sources.sandbox import Sandbox

    shutil.rmtree(data_dir.root, ignore_errors=True)
    with (
        data_dir.held("demo"),
        Sandbox(seats=SEATS, today=TODAY, requests_per_minute=REQUESTS_PER_MINUTE) as sandbox,
    ):
        org_chart = _org_chart(data_dir.root / "org_chart.csv", sandbox.truth("org_chart"))
        seat_prices = data_dir.root / "seat_prices.csv"
        seat_prices.write_text(SEAT_PRICES)
        return sync(
            data_dir,
            Clock.at(TODAY),
            analytics=AnalyticsSettings(
                base_url=sandbox.url,
                api_key=sandbox.api_key,
                requests_per_minute=REQUESTS_PER_MINUTE,
            ),
            admin=AdminSettings(base_url=sandbox.url, api_key=sandbox.api_key),
            compliance=ComplianceSettings(base_url=sandbox.url, api_key=sandbox.api_key),
            reference_paths={"org_chart": str(org_chart), "seat_prices": str(seat_prices)},
            listener=listener,
        )


def answers(data_dir: DataDir) -> list[tuple[Headline, list[str], list[tuple[object, ...]]]]:
    """Each headline with the columns and rows that the served file gives for it."""
    found = []
    with duckdb.connect(str(data_dir.served), read_only=True) as served:
        for headline in HEADLINES:
            answer = served.execute(headline.query)
            columns = [column[0] for column in answer.description or []]
            found.append((headline, columns, answer.fetchall()))
    return found


def _org_chart(path: Path, people: list[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(people[0]))
        writer.writeheader()
        writer.writerows(people)
    return path
