"""The whole run against an invented organisation, and the numbers it ends with."""

import csv
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.data_dir import DataDir
from pipelines.run import Listener, RunResult, sync
from pipelines.warehouse.duckdb import open_to_read
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_compliance import ComplianceSettings
from sources.errors import ForeseenError
from sources.langdock import LangdockSettings
from sources.session import Clock

TODAY = date(2026, 6, 15)
SEATS = 250
REQUESTS_PER_MINUTE = 6_000
APPROVED_CONNECTORS = """\
name,approval,owner,reviewed_at
github,approved,IT,2026-03-02
atlassian,approved,IT,2026-03-02
google-drive,approved,IT,2026-03-02
mcpsrv_*,banned,Security,2026-04-20
"""


INPUTS = ("org_chart.csv", "seat_prices.csv", "approved_connectors.csv", "langdock")
"""What the demo puts into its folder for the run to read."""


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
        "May's chargeback by department (chargeback_monthly)",
        """
        select
            department,
            cost_center,
            max(seat_count) as seats,
            sum(amount_usd) filter (cost_pool = 'seats') as seat_fees_usd,
            sum(amount_usd) filter (cost_pool = 'metered') as metered_usd,
            sum(amount_usd) filter (cost_pool = 'shared') as shared_usd,
            sum(amount_usd) as total_usd
        from claude_marts.chargeback_monthly
        where month = date '2026-05-01'
        group by department, cost_center
        order by total_usd desc, department
        """,
    ),
    Headline(
        "May's bill against its parts (chargeback_reconciliation_monthly)",
        """
        select
            coalesce(cost_pool, 'all pools') as cost_pool,
            sum(billed_usd) as billed_usd,
            sum(allocated_usd) as allocated_usd,
            'difference ' || cast(sum(difference_usd) as decimal(38, 6)) as reconciliation
        from claude_marts.chargeback_reconciliation_monthly
        where month = date '2026-05-01'
        group by rollup (cost_pool)
        order by grouping(cost_pool), billed_usd desc
        """,
    ),
    Headline(
        "Seats to reclaim or to downgrade (seat_recommendations)",
        """
        select
            recommendation,
            count(*) as seats,
            sum(monthly_saving_usd) as monthly_saving_usd
        from claude_marts.seat_recommendations
        group by recommendation
        order by seats desc
        """,
    ),
    Headline(
        "People in any assistant, counted once (assistant_active_users_monthly)",
        """
        select
            month,
            claude_active_users,
            langdock_active_users,
            active_users_lower_bound as at_least,
            active_users_upper_bound as at_most
        from claude_marts.assistant_active_users_monthly
        where month between date '2026-03-01' and date '2026-05-01'
        order by month
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
    """Load the sandbox's organisation into the folder, where it replaces an earlier demo.

    Raises:
        ForeseenError: The folder holds another warehouse.
    """
    from sources.sandbox import Sandbox

    with (
        data_dir.held("demo"),
        Sandbox(seats=SEATS, today=TODAY, requests_per_minute=REQUESTS_PER_MINUTE) as sandbox,
    ):
        _clear(data_dir)
        files = {name: data_dir.root / f"{name}.csv" for name in ("org_chart", "seat_prices")}
        for name, file in files.items():
            _write_csv(file, sandbox.truth(name))
        files["approved_connectors"] = data_dir.root / "approved_connectors.csv"
        files["approved_connectors"].write_text(APPROVED_CONNECTORS)
        sandbox.langdock.write_samples(data_dir.root / "langdock")
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
            langdock=LangdockSettings(files=str(data_dir.root / "langdock")),
            reference_paths={name: str(file) for name, file in files.items()},
            listener=listener,
        )


def answers(data_dir: DataDir) -> list[tuple[Headline, list[str], list[tuple[object, ...]]]]:
    """Each headline with the columns and rows that the served file gives for it."""
    found = []
    with open_to_read(data_dir.served) as served:
        for headline in HEADLINES:
            answer = served.execute(headline.query)
            columns = [column[0] for column in answer.description or []]
            found.append((headline, columns, answer.fetchall()))
    return found


def _clear(data_dir: DataDir) -> None:
    """Remove an earlier demo; files that it did not make stay."""
    if data_dir.warehouse.exists() and not (data_dir.root / "org_chart.csv").exists():
        raise ForeseenError(
            f"The demo was not begun: {data_dir.root} holds a warehouse that no demo made.\n"
            "The demo begins with an empty one, and that warehouse would be lost.\n"
            "Name another folder: claude-warehouse demo --data-dir FOLDER (it uses FOLDER/demo)."
        )
    inputs = [data_dir.root / name for name in INPUTS]
    for path in [*data_dir.written(), *inputs]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
