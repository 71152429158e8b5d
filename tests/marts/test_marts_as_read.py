"""What readers do with the served file: join, follow the pages' queries, ask what owners ask."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from zipfile import ZipFile

import duckdb
import pytest
import yaml

from pipelines.data_dir import DataDir
from pipelines.dictionary.__main__ import BEGIN, DOCS, END
from pipelines.dictionary.diagram import svg
from pipelines.dictionary.marts import Mart, marts_of
from pipelines.dictionary.page import html, markdown
from pipelines.exit_codes import DONE, FAILED
from pipelines.run import sync
from pipelines.superset.charts import DASHBOARDS, Chart
from pipelines.superset.measures import Dataset, datasets_of
from pipelines.warehouse import warehouse_of
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_compliance import ComplianceSettings
from sources.langdock import LangdockSettings
from sources.reference_files.settings import ReferenceFileSettings
from sources.sandbox import Sandbox
from sources.sandbox.truth import Facts
from sources.sandbox.truth.places import OrgChart
from sources.session import Clock
from tests.commands import command

FIRST_DAY, TODAY = date(2026, 4, 1), date(2026, 6, 15)
MAY = (date(2026, 5, 1), date(2026, 5, 31))
BUDGETS = "cost_center,usd_per_month,valid_from\n00420,10.00,2026-01-01\n1E5,99999.00,\n"
HOLIDAYS = "holiday_date,name\n2026-05-25,Whit Monday\n"
OTHERS = (
    "vendor,month,email,account_id,message_count,cost_usd\n"
    "ChatGPT,2026-05,{known},,12,30.00\n"
    "ChatGPT,2026-05,,hidden-1,3,30.00\n"
)

Row = tuple[Any, ...]
Query = Callable[[str], list[Row]]


@dataclass(frozen=True)
class Served:
    """An organisation with every source and file, and what its readers have."""

    sandbox: Sandbox
    data: DataDir
    query: Query
    manifest: str

    @cached_property
    def marts(self) -> list[Mart]:
        return marts_of(self.manifest)

    def truth(self, name: str) -> list[dict[str, Any]]:
        return self.sandbox.truth(name, FIRST_DAY)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """April 1 to June 15 of 30 seats."""
    folder = tmp_path_factory.mktemp("read")
    data = DataDir(folder / "data")
    with Sandbox(seats=30, today=TODAY) as sandbox:
        known = next(row["email"] for row in sandbox.truth("people", FIRST_DAY) if row["email"])
        texts = {"budgets": BUDGETS, "holidays": HOLIDAYS, "other_assistants": OTHERS}
        paths = {}
        for name in ("org_chart", "seat_prices"):
            rows = sandbox.truth(name, FIRST_DAY)
            texts[name] = csv_of(rows)
        for name, text in texts.items():
            file = folder / f"{name}.csv"
            file.write_text(text.format(known=known), encoding="utf-8")
            paths[name] = str(file)
        sandbox.langdock.write_samples(folder / "langdock")
        at: dict[str, Any] = {
            "base_url": sandbox.url, "api_key": sandbox.api_key, "requests_per_minute": 100_000,
        }  # fmt: skip
        since = (TODAY - FIRST_DAY).days
        data.create()
        with data.held("test"):
            result = sync(
                data,
                Clock.at(TODAY),
                {
                    "claude_analytics": AnalyticsSettings(
                        **at, window_days=since, cost_window_days=since + 1
                    ),
                    "claude_admin": AdminSettings(**at),
                    "claude_compliance": ComplianceSettings(**at),
                    "langdock": LangdockSettings(files=str(folder / "langdock")),
                    "reference_files": ReferenceFileSettings(**paths),
                },
            )
        assert result.problems == []
        manifest = warehouse_of(data).manifest()
        with duckdb.connect(str(data.served), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            yield Served(sandbox, data, lambda sql: connection.execute(sql).fetchall(), manifest)


def csv_of(rows: list[dict[str, Any]]) -> str:
    lines = [list(rows[0]), *([*map(str_or_blank, row.values())] for row in rows)]
    return "".join(",".join(quoted(cell) for cell in line) + "\n" for line in lines)


def str_or_blank(value: object) -> str:
    return "" if value is None else str(value)


def quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell


def measures(served: Served, mart: str) -> list[str]:
    """Its columns that are numbers without rounding."""
    rows = served.query(
        f"""
        select column_name from duckdb_columns()
        where table_name = '{mart}' and schema_name = 'claude_marts'
            and (data_type = 'BIGINT' or data_type like 'DECIMAL%')
        """
    )
    return [name for (name,) in rows]


def test_every_documented_join_keeps_every_row_once_and_every_sum_to_the_last_digit(
    served: Served,
) -> None:
    walked = 0
    for mart in served.marts:
        sums = ", ".join(f'sum(facts."{name}")' for name in measures(served, mart.name))
        asked = f"select count(*){', ' + sums if sums else ''}"
        alone = served.query(f"{asked} from claude_marts.{mart.name} as facts")
        for column, target in mart.joins.items():
            dimension, _, key = target.partition(".")
            joined = (
                f"from claude_marts.{mart.name} as facts"
                f" left join claude_marts.{dimension} as dimension"
                f' on facts."{column}" = dimension."{key}"'
            )
            assert served.query(f"{asked} {joined}") == alone, (mart.name, column)
            lost = served.query(
                f'select distinct facts."{column}" {joined}'
                f' where facts."{column}" is not null and dimension."{key}" is null'
            )
            assert lost == [], (mart.name, column, target)
            walked += 1
    assert walked > 100


def test_where_somebody_was_is_one_period_for_every_day_of_every_mart(served: Served) -> None:
    for mart in served.marts:
        days = [each.name for each in mart.columns if each.name in ("activity_date", "event_date")]
        people = [each.name for each in mart.columns if each.name == "user_id"]
        if not days or not people:
            continue
        alone, joined = served.query(
            f"""
            select count(*) from claude_marts.{mart.name} where user_id is not null
            union all
            select count(*) from claude_marts.{mart.name} as facts
            inner join claude_marts.department_periods as periods
                on facts.user_id = periods.user_id and facts.{days[0]} >= periods.valid_from
                    and (facts.{days[0]} < periods.valid_until or periods.valid_until is null)
            """
        )
        assert alone == joined, mart.name
    for mart_name in ("spend_daily", "user_activity_daily", "user_product_activity_daily"):
        assert served.query(
            f"""
            select count(*) from claude_marts.{mart_name} as facts
            inner join claude_marts.department_periods as periods
                on facts.user_id = periods.user_id and facts.activity_date >= periods.valid_from
                    and (facts.activity_date < periods.valid_until or periods.valid_until is null)
            where facts.department <> periods.department
                or facts.cost_center is distinct from periods.cost_center
            """
        ) == [(0,)]


def test_the_key_of_every_mart_is_one(served: Served) -> None:
    for mart in served.marts:
        assert mart.key, mart.name
        columns = {each.name for each in mart.columns}
        names = ", ".join(f'"{name}"' for name in mart.key if name in columns)
        if len(mart.key) == names.count(",") + 1 and names:
            doubled = served.query(
                f"select {names} from claude_marts.{mart.name} group by {names} having count(*) > 1"
            )
            assert doubled == [], mart.name


def test_every_comment_says_the_key_and_what_the_column_joins_to(served: Served) -> None:
    tables: dict[str, str] = dict(
        cast(
            "list[tuple[str, str]]",
            served.query("select table_name, comment from duckdb_tables()"),
        )
    )
    columns = {
        (table, column): comment
        for table, column, comment in served.query(
            "select table_name, column_name, comment from duckdb_columns()"
            " where schema_name = 'claude_marts'"
        )
    }
    for mart in served.marts:
        assert f"Key: {', '.join(mart.key)}." in tables[mart.name], mart.name
        for column, target in mart.joins.items():
            assert f"Joins {target}." in columns[mart.name, column], (mart.name, column)


def test_long_forms_hold_what_the_texts_hold(served: Served) -> None:
    for mart, key, text, separator, long in (
        (
            "access_review", "user_id", "rbac_group_names", ", ",
            "select user_id, rbac_group_name from claude_marts.group_memberships"
            " where valid_until is null",
        ),
        (
            "access_review", "user_id", "permissions", "; ",
            "select distinct user_id, permission from claude_marts.permission_periods"
            " where valid_until is null",
        ),
        (
            "connector_audit", "connector_name", "risk_reasons", "; ",
            "select subject_id, reason from claude_marts.audit_reasons"
            " where mart = 'connector_audit'",
        ),
    ):  # fmt: skip
        short = {
            (subject, part)
            for subject, texts in served.query(
                f"select {key}, {text} from claude_marts.{mart} where {text} is not null"
            )
            for part in texts.split(separator)
        }
        assert short and short == set(served.query(long)), (mart, text)
    scopes = {
        (key, scope)
        for key, texts in served.query(
            "select api_key_id, scopes from claude_marts.api_key_hygiene where scopes is not null"
        )
        for scope in json.loads(texts)
    }
    assert scopes and scopes == set(served.query("select * from claude_marts.api_key_scopes"))


def test_every_sample_query_of_the_pages_runs(served: Served) -> None:
    page = (DOCS / "marts.md").read_text(encoding="utf-8")
    asked = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)

    assert len(asked) == len(served.marts) + 1
    for query in asked:
        served.query(query)
    for mart in served.marts:
        assert mart.sample and f"claude_marts.{mart.name}" in mart.sample, mart.name


def test_the_page_of_marts_and_its_drawing_are_what_the_transforms_say(served: Served) -> None:
    page = (DOCS / "marts.md").read_text(encoding="utf-8")

    said = page.partition(BEGIN)[2].partition(END)[0]
    assert said == markdown(served.marts), "run: python -m pipelines.dictionary"
    assert (DOCS / "marts.svg").read_text(encoding="utf-8") == svg(served.marts)


def test_the_dictionary_has_every_column_key_and_join_and_needs_nothing_else(
    served: Served,
) -> None:
    page = html(served.marts)

    for mart in served.marts:
        assert f'<section id="{mart.name}">' in page
        for column in mart.columns:
            assert f"<code>{column.name}</code>" in page
        for target in mart.joins.values():
            assert f'<a href="#{target.partition(".")[0]}">{target}</a>' in page
    spend = next(mart for mart in served.marts if mart.name == "spend_daily")
    assert {"costs", "usage", "org_chart"} <= set(spend.read_tables)
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_another_assistant_stands_beside_claude_and_is_counted_once(served: Served) -> None:
    months = served.query(
        "select vendor, active_users, unidentified_users, message_count, cost_usd"
        " from claude_marts.assistant_months where month = '2026-05-01' order by vendor"
    )

    assert months[0] == ("ChatGPT", 2, 1, 15, Decimal(60))
    assert [vendor for vendor, *_ in months] == ["ChatGPT", "claude", "langdock"]
    [(people,)] = served.query(
        """
        select count(distinct person_key) from claude_marts.assistant_usage_monthly
        where month = '2026-05-01' and is_active
        """
    )
    assert served.query(
        "select active_users_upper_bound from claude_marts.assistant_active_users_monthly"
        " where month = '2026-05-01'"
    ) == [(people,)]


def test_who_only_another_vendor_knows_is_where_the_org_chart_says(served: Served) -> None:
    lines: dict[str, tuple[date, str]] = {}
    for row in served.truth("org_chart"):
        since = row["valid_from"] or date.min
        key = str(row["email"]).strip().casefold()
        if since <= TODAY and since >= lines.get(key, (date.min, ""))[0]:
            lines[key] = (since, row["department"])
    found = served.query(
        "select email, department from claude_marts.people"
        " where identity_source not in ('roster', 'analytics') and email is not null"
    )
    expected = [(email, lines.get(email.casefold(), (None, "Unmapped"))[1]) for email, _ in found]

    assert found == expected
    assert len({department for _, department in found}) > 2


def answers(served: Served) -> dict[int, Callable[[], list[Row]]]:
    """Number of a question -> its right answer, from what the sandbox invented."""

    def spend() -> list[dict[str, Any]]:
        rows = served.truth("spend_daily")
        return [row for row in rows if MAY[0] <= row["activity_date"] <= MAY[1]]

    def by_model() -> list[Row]:
        chart = OrgChart.of(cast(Facts, Truth(served)))
        sums: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
        for row in spend():
            if row["user_id"]:
                department, _ = chart.place(row["email"], row["activity_date"])
                sums[department, row["model"]] += row["spend_usd"]
        return sorted(((*key, amount) for key, amount in sums.items()), key=str)

    def top_five() -> list[Row]:
        people = {row["user_id"]: row["email"] or row["name"] for row in served.truth("people")}
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in spend():
            if row["user_id"]:
                sums[people[row["user_id"]]] += row["spend_usd"]
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))[:5]

    def bill() -> list[dict[str, Any]]:
        return [row for row in served.truth("chargeback_monthly") if row["month"] == MAY[0]]

    def by_pool() -> list[Row]:
        return sorted(
            (row["department"], row["cost_center"], row["cost_pool"], row["amount_usd"])
            for row in bill()
        )

    def per_person() -> list[Row]:
        sums: dict[str, list[Any]] = defaultdict(lambda: [Decimal(0), 0])
        for row in bill():
            sums[row["department"]][0] += row["amount_usd"]
            sums[row["department"]][1] += row["active_user_count"] or 0
        return sorted(
            (
                department, amount, people,
                round(float(amount / people), 2) if people else None,
            )
            for department, (amount, people) in sums.items()
        )  # fmt: skip

    def june() -> list[Row]:
        found: dict[str | None, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in served.truth("chargeback_monthly"):
            if row["month"] == date(2026, 6, 1):
                found[row["cost_center"]][row["cost_pool"] == "seats"] += row["amount_usd"]
        budgets: dict[str | None, tuple[Decimal, bool]] = {
            "00420": (Decimal(10), True),
            "1E5": (Decimal(99999), False),
        }
        centers = sorted(found, key=lambda center: (center is None, center))
        return [(each, *found[each], *budgets.get(each, (None, None))) for each in centers]

    def idle() -> list[Row]:
        return sorted(
            (
                row["email"], row["seat_status"], row["last_active_date"],
                row["seat_cost_usd_per_month"],
            )
            for row in served.truth("seats")
            if row["seat_status"] in ("dormant", "never_active")
        )  # fmt: skip

    def used() -> list[Row]:
        active = {row["activity_date"]: row for row in served.truth("active_users_daily")}
        return [
            (
                row["activity_date"], row["assigned_seats"],
                active[row["activity_date"]]["reported_monthly_active_users"],
                row["monthly_utilization_rate"],
            )
            for row in served.truth("seat_utilization_daily")
            if row["activity_date"] in (date(2026, 4, 30), MAY[1])
        ]  # fmt: skip

    def weekly() -> list[Row]:
        return sorted(
            (row["computed_weekly_active_users"] or 0,)
            for row in served.truth("product_active_users_daily")
            if row["activity_date"] == MAY[1]
        )

    def without_seat() -> list[Row]:
        members = {
            row["user_id"] for row in served.truth("members") if row["activity_date"] == TODAY
        }
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in spend():
            if row["user_id"] and row["user_id"] not in members:
                sums[row["user_id"]] += row["spend_usd"]
        return sorted(sums.items())

    def without_person() -> list[Row]:
        sums: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
        for row in spend():
            if not row["user_id"]:
                sums[row["actor_type"], row["actor_id"]] += row["spend_usd"]
        return sorted(((*key, amount) for key, amount in sums.items()), key=str)

    return {
        1: by_model, 2: top_five, 3: by_pool, 4: per_person, 5: june, 6: idle, 7: used,
        8: weekly, 9: without_seat, 10: without_person,
    }  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """The facts as the org chart of the sandbox's truth asks for them."""

    served: Served

    def rows(self, name: str) -> list[dict[str, Any]]:
        return self.served.truth(name)


COMPARED: dict[int, Callable[[list[Row]], list[Any]]] = {
    1: lambda rows: sorted(rows, key=str),
    3: sorted,
    4: lambda rows: [(*row[:3], None if row[3] is None else float(row[3])) for row in rows],
    5: lambda rows: [(center, spent, seats, *rest) for center, spent, seats, _, *rest in rows],
    8: lambda rows: sorted((users or 0,) for _, users in rows),
    9: lambda rows: [(user, amount) for user, _, _, amount in rows],
    10: lambda rows: sorted(rows, key=str),
}
"""Number of a question -> what of its rows is compared, in an order that null does not touch."""


@pytest.mark.parametrize("number", range(1, 11))
def test_ten_questions_are_answered_as_the_sandbox_knows(served: Served, number: int) -> None:
    page = (DOCS / "questions.md").read_text(encoding="utf-8")
    [query] = re.findall(rf"### {number}\. [^#]*?```sql\n(.*?)```", page, re.DOTALL)

    rows = served.query(query)
    right = answers(served)[number]()

    assert rows and len(query.splitlines()) <= 20
    assert COMPARED.get(number, list)(rows) == right


def test_what_is_expected_of_a_month_is_its_bill_once_its_days_are_loaded(served: Served) -> None:
    rows = served.query(
        """
        select forecast.month, sum(forecast.expected_usd), any_value(bill.amount_usd)
        from claude_marts.spend_forecast_monthly as forecast
        inner join (
            select month, sum(amount_usd) as amount_usd
            from claude_marts.chargeback_monthly group by month
        ) as bill on forecast.month = bill.month
        where forecast.month < '2026-06-01' group by 1 order by 1
        """
    )

    assert [month for month, *_ in rows] == [date(2026, 4, 1), MAY[0]]
    assert all(expected == billed for _, expected, billed in rows)


def test_the_calendar_has_every_date_until_the_end_of_next_year(served: Served) -> None:
    [(first, last, dates)] = served.query(
        "select min(calendar_date), max(calendar_date), count(*) from claude_marts.calendar"
    )

    assert first.day == 1 and last == date(2027, 12, 31)
    assert dates == (last - first + timedelta(days=1)).days
    assert served.query(
        "select is_working_day, holiday_name from claude_marts.calendar"
        " where calendar_date in ('2026-05-25', '2026-05-26') order by calendar_date"
    ) == [(False, "Whit Monday"), (True, None)]


def test_sums_have_the_types_that_the_page_for_tools_says(served: Served) -> None:
    [types] = served.query(
        """
        select
            typeof(sum(message_count)), typeof(cast(sum(message_count) as bigint)),
            (select typeof(sum(spend_usd)) from claude_marts.spend_daily)
        from claude_marts.user_product_activity_daily
        """
    )

    assert types == ("HUGEINT", "BIGINT", "DECIMAL(38,8)")


def home(served: Served, chart: Chart) -> Dataset:
    return next(
        each for each in datasets_of(served.manifest) if each.metrics.keys() >= set(chart.metrics)
    )


def drawn(served: Served, chart: Chart) -> list[Row]:
    """What a chart asks of its dataset: its period, what it is grouped by, its metrics."""
    dataset = home(served, chart)
    period = f"cast(date_trunc('{chart.per}', {dataset.period}) as date)"
    groups = [period, *(column for column in chart.by if column != dataset.period)]
    metrics = [dataset.metrics[name].sql for name in chart.metrics]
    source = f"({dataset.sql})" if dataset.sql else f"claude_marts.{dataset.name}"
    return served.query(
        f"select {', '.join([*groups, *metrics])} from {source} as dataset"
        f" group by {', '.join(groups)} order by all"
    )


CHARTS = {chart.title: chart for dashboard in DASHBOARDS for chart in dashboard.charts}


def test_the_dashboards_file_names_what_exists_and_every_metric_of_it_answers(
    served: Served, tmp_path: Path
) -> None:
    out = tmp_path / "claude.zip"
    words = ["export", "superset", "--out", str(out), "--data-dir", str(served.data.root)]
    ended = command(words)
    assert ended.exit_code == DONE, ended.text
    assert f"Wrote 2 dashboards of {len(CHARTS)} charts" in ended.out and str(out) in ended.out
    first = out.read_bytes()
    assert command(words).exit_code == DONE and out.read_bytes() == first

    with ZipFile(out) as parts:
        contents = {
            name.partition("/")[2]: yaml.safe_load(parts.read(name)) for name in parts.namelist()
        }
    folders: dict[str, list[Any]] = defaultdict(list)
    for name, content in contents.items():
        folders[name.partition("/")[0]].append(content)
    ids = [each["uuid"] for found in folders.values() for each in found if "uuid" in each]
    assert len(ids) == len(set(ids)) == len(contents) - 1
    [database] = folders["databases"]
    assert database["sqlalchemy_uri"] == f"duckdb:///{served.data.served}?access_mode=read_only"

    there = dict(
        cast(
            "list[tuple[str, list[str]]]",
            served.query(
                "select table_name, list(column_name) from duckdb_columns()"
                " where schema_name = 'claude_marts' group by table_name"
            ),
        )
    )
    datasets = {each["uuid"]: each for each in folders["datasets"]}
    for dataset in datasets.values():
        columns = {each["column_name"]: each for each in dataset["columns"]}
        source = (
            f"({dataset['sql']})" if dataset["sql"] else f"claude_marts.{dataset['table_name']}"
        )
        if not dataset["sql"]:
            assert columns.keys() == set(there[dataset["table_name"]])
        assert columns[dataset["main_dttm_col"]]["is_dttm"]
        served.query(f"select {', '.join(columns)} from {source} as dataset")
        for metric in dataset["metrics"]:
            served.query(f"select {metric['expression']} from {source} as dataset")
    for chart in folders["charts"]:
        dataset, params = datasets[chart["dataset_uuid"]], chart["params"]
        names = {each["column_name"] for each in dataset["columns"]}
        metrics = {each["metric_name"] for each in dataset["metrics"]}
        named = {*params.get("groupby", []), params.get("x_axis", dataset["main_dttm_col"])}
        assert named <= names, chart["slice_name"]
        assert {*params.get("metrics", []), params.get("metric")} - {None} <= metrics
    for dashboard in folders["dashboards"]:
        shown = [each for each in dashboard["position"].values() if isinstance(each, dict)]
        placed = {each["meta"]["uuid"] for each in shown if each["type"] == "CHART"}
        assert placed <= {each["uuid"] for each in folders["charts"]} and placed
        for row in (each for each in shown if each["type"] == "ROW"):
            inner = [dashboard["position"][name]["meta"]["width"] for name in row["children"]]
            assert sum(inner) == 12

    out.write_text("somebody's own")
    assert command(words).exit_code == FAILED and out.read_text() == "somebody's own"


def test_the_dashboards_measure_what_the_semantic_layer_declares(served: Served) -> None:
    file = DOCS.parent / "transforms/models/semantic/_metrics.yml"
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    measures = {
        each["name"]: each
        for model in declared["semantic_models"]
        for each in model.get("measures", [])
    }
    metrics = {each["name"]: each for each in declared["metrics"]}
    found = {
        name: (dataset, metric)
        for dataset in reversed(datasets_of(served.manifest))
        for name, metric in dataset.metrics.items()
    }
    assert found.keys() == metrics.keys()

    for name, (dataset, metric) in found.items():
        said = metrics[name]
        assert (metric.label, metric.description) == (said["label"], said["description"])
        if said["type"] == "ratio":
            parts = [
                found_metric.sql
                for part in ("numerator", "denominator")
                for found_metric in [dataset.metrics[said["type_params"][part]]]
            ]
            assert metric.sql == f"1.0 * {parts[0]} / nullif({parts[1]}, 0)"
            assert not metric.adds_up
            continue
        measure = measures[said["type_params"]["measure"]]
        column = measure.get("expr", measure["name"])
        is_counted = measure["agg"] == "count_distinct"
        if is_counted:
            assert metric.sql == f"count(distinct {column})"
        elif "non_additive_dimension" in measure:
            assert f"array_agg({column} order by {dataset.period} desc)" in metric.sql
        else:
            assert metric.sql == f"sum({column})"
        assert metric.adds_up == ("Additive" in measure["description"])


def test_no_chart_adds_up_what_does_not_add_up(served: Served) -> None:
    for chart in CHARTS.values():
        for name in chart.metrics:
            metric = home(served, chart).metrics[name]
            assert metric.adds_up or not chart.stacked, chart.title
            assert set(metric.only_by) <= set(chart.by), chart.title


def test_the_charts_show_what_the_marts_have(served: Served) -> None:
    newest = "(select max(activity_date) from claude_marts.active_users_daily)"
    [daily] = served.query(
        "select reported_daily_active_users, reported_weekly_active_users,"
        " reported_monthly_active_users, stickiness_rate"
        f" from claude_marts.active_users_daily where activity_date = {newest}"
    )
    titles = ("Active: 1 day", "7 days", "30 days", "Stickiness")
    assert tuple(drawn(served, CHARTS[title])[-1][1] for title in titles) == pytest.approx(daily)
    used = drawn(served, CHARTS["Seats in use"])
    assert [share for _, share in used] == pytest.approx(
        [
            share
            for (share,) in served.query(
                "select monthly_utilization_rate from claude_marts.active_users_daily"
                " left join claude_marts.seat_utilization_daily using (activity_date)"
                " order by activity_date"
            )
        ]
    )

    people = {
        (department, users)
        for month, department, users in drawn(
            served, CHARTS["Active people by department, per month"]
        )
        if month == MAY[0]
    }
    assert people == set(
        served.query(
            "select department, active_users from claude_marts.team_adoption_monthly"
            f" where month = '{MAY[0]}'"
        )
    )
    [(active,)] = served.query(
        f"select active_users from claude_marts.unit_economics_monthly where month = '{MAY[0]}'"
    )
    assert sum(users for _, users in people) == active > 0

    may = [row for row in served.truth("chargeback_monthly") if row["month"] == MAY[0]]
    bill = sum(row["amount_usd"] for row in may)
    for title in ("Bill by pool, per month", "Bill by department, per month"):
        parts = [amount for month, _, amount in drawn(served, CHARTS[title]) if month == MAY[0]]
        assert sum(parts) == bill
    [per_person] = [
        amount
        for month, amount in drawn(served, CHARTS["Cost per active person, per month"])
        if month == MAY[0]
    ]
    assert per_person == pytest.approx(float(bill / active))


def test_over_several_departments_at_once_their_people_are_unknown_and_not_one_departments(
    served: Served,
) -> None:
    chart = CHARTS["Active people by department, per month"]
    metric = home(served, chart).metrics["active_by_department"]

    assert served.query(
        f"select {metric.sql} from claude_marts.team_adoption_monthly where month = '{MAY[0]}'"
    ) == [(None,)]
