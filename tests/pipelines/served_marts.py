"""A small organisation as hand-made published marts: 73 days to 12 June 2026, one of them unknown.

On the day `n` (0 is 1 April) 100 + n people were active in 30 days and 80 + n in 7 days; 10 May is
not loaded. Five people, three connectors, four projects, three months of money.
"""

from collections.abc import Mapping

import duckdb

from pipelines.data_dir import DataDir

DAYS = """
    select cast(unnest(generate_series(
        date '2026-04-01', date '2026-06-12', interval 1 day)) as date) as activity_date
"""
N = "(activity_date - date '2026-04-01')"
KNOWN = "activity_date != date '2026-05-10'"


def if_known(expression: str) -> str:
    return f"case when {KNOWN} then {expression} end"


MARTS = {
    "active_users_daily": f"""
        select
            activity_date,
            {if_known(f"50 + {N} % 7")} as reported_daily_active_users,
            {if_known(f"80 + {N}")} as reported_weekly_active_users,
            {if_known(f"100 + {N}")} as reported_monthly_active_users,
            {if_known(f"50 + {N} % 7")} as computed_daily_active_users,
            {if_known(f"80 + {N}")} as computed_weekly_active_users,
            {if_known(f"98 + {N}")} as computed_monthly_active_users,
            {if_known("0.25")} as stickiness_rate,
            30 as covered_days_in_30
        from ({DAYS})
    """,
    "product_active_users_daily": f"""
        select
            activity_date,
            product,
            people as reported_daily_active_users,
            people as reported_weekly_active_users,
            people as reported_monthly_active_users,
            people as computed_daily_active_users,
            people as computed_weekly_active_users,
            people as computed_monthly_active_users,
            30 as monthly_window_days
        from ({DAYS}), (values ('chat', 129), ('claude_code', 43)) as products (product, people)
    """,
    "seat_utilization_daily": f"""
        select
            activity_date,
            200 as assigned_seats,
            3 as pending_invites,
            {if_known(f"(100 + {N}) / 200.0")} as monthly_utilization_rate,
            {if_known(f"(80 + {N}) / 200.0")} as weekly_utilization_rate
        from ({DAYS})
    """,
    "seats": """
        select
            *,
            date '2026-06-12' as as_of_date,
            cast(45 as decimal(38, 8)) as seat_cost_usd_per_month
        from (values
            ('user_ada', 'ada@org.example', 'Ada Lovelace', 'Lab', 'active', date '2026-06-12'),
            ('user_bob', 'bob@org.example', 'Bob Babbage', 'Sales', 'dormant', date '2026-04-20'),
            ('user_cyd', 'cyd@org.example', 'Cyd Curie', 'Sales', 'never_active', null),
            ('user_dan', 'dan@org.example', 'Dan Dirac', 'Sales', 'new', null),
            ('user_eve', 'eve@org.example', 'Eve Euler', 'Lab', 'removed', date '2026-05-01')
        ) as people (user_id, email, name, department, seat_status, last_active_date)
    """,
    "chargeback_monthly": """
        select
            *,
            seat_count * 2 as active_user_count,
            'seats' as allocation_method,
            covered_days >= day(last_day(month)) as is_settled
        from (values
            (date '2026-05-01', '00420', 'Research', 'seats', 700.25::decimal(38, 8), 14, 31),
            (date '2026-05-01', '00777', 'Sales', 'seats', 300.25::decimal(38, 8), 6, 31),
            (date '2026-06-01', '00420', 'Research', 'seats', 1200::decimal(38, 8), 15, 12)
        ) as bills (month, cost_center, department, cost_pool, amount_usd, seat_count, covered_days)
    """,
    "chargeback_reconciliation_monthly": """
        select
            *,
            billed_usd - allocated_usd as difference_usd,
            covered_days >= day(last_day(month)) as is_settled
        from (values
            (date '2026-04-01', 'seats', 800.5::decimal(38, 8), 800.5::decimal(38, 8), 30),
            (date '2026-05-01', 'seats', 1000.5::decimal(38, 8), 1000.5::decimal(38, 8), 31),
            (date '2026-06-01', 'seats', 1200::decimal(38, 8), 1200::decimal(38, 8), 12)
        ) as bills (month, cost_pool, billed_usd, allocated_usd, covered_days)
    """,
    "connector_usage_daily": f"""
        select
            activity_date,
            connector_name,
            connector_display_name,
            people as distinct_user_count,
            1 as read_call_count,
            null::bigint as write_call_count
        from ({DAYS}), (values
            ('github', null, 4), ('jira', null, 2), ('mcpsrv_01', 'Data Lake', 1)
        ) as connectors (connector_name, connector_display_name, people)
    """,
    "connector_audit": """
        select * from (values
            ('github', 'approved'), ('jira', 'unreviewed'), ('mcpsrv_01', 'banned')
        ) as approvals (connector_name, approval)
    """,
    "skill_usage_daily": f"""
        select
            activity_date,
            'pdf' as skill_name,
            null::varchar as skill_display_name,
            3 as distinct_user_count,
            5 as invocation_count
        from ({DAYS})
    """,
    "project_usage_daily": f"""
        select
            activity_date,
            project_id,
            project_name,
            people as distinct_user_count,
            9 as message_count
        from ({DAYS}), (values
            ('proj_1', 'Launch', 9),
            ('proj_2', 'Notes of Bob Babbage', 1),
            ('proj_3', 'Letters to ada@org.example', 7),
            ('proj_4', '</script><b>Hiring & more</b>', 6)
        ) as projects (project_id, project_name, people)
    """,
    "data_coverage_daily": f"""
        select
            endpoint,
            activity_date,
            case when {KNOWN} or endpoint = 'summaries' then 'loaded' else 'missing' end as status,
            'ok' as endpoint_outcome,
            1 as revision_count,
            true as is_settled,
            timestamp '2026-06-15 04:00:00' as fetched_at
        from ({DAYS}), (values ('users'), ('summaries')) as endpoints (endpoint)
    """,
    "metric_reconciliation_daily": f"""
        select
            activity_date,
            'monthly_active_users' as metric,
            100 as reported,
            98 as computed,
            2 as difference,
            'people who left' as reason
        from ({DAYS})
    """,
}
COMMENTS = {
    "active_users_daily.reported_monthly_active_users": "People active in 30 days, says the API.",
    "chargeback_reconciliation_monthly.billed_usd": "The organisation's own total.",
}
PERSONAL = ("ada@org.example", "bob@org.example", "Babbage", "Lovelace", "user_bob", "user_ada")


def write(data_dir: DataDir, changed: Mapping[str, str | None] | None = None) -> None:
    """Write the served file; `changed` replaces a mart's query, or leaves the mart out."""
    data_dir.root.mkdir(parents=True, exist_ok=True)
    data_dir.served.unlink(missing_ok=True)
    marts = {**MARTS, **(changed or {})}
    with duckdb.connect(str(data_dir.served)) as served:
        served.execute("create schema claude_marts")
        for mart, query in marts.items():
            if query:
                served.execute(f"create table claude_marts.{mart} as {query}")
        for column, text in COMMENTS.items():
            if marts[column.partition(".")[0]]:
                quoted = text.replace("'", "''")
                served.execute(f"comment on column claude_marts.{column} is '{quoted}'")
