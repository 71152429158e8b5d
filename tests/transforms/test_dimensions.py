"""What facts are joined to: who was where on a day, dates, products; no row is lost by it."""

import pytest

from pipelines.warehouse.dbt import TransformResult
from tests.transforms.conftest import Query


@pytest.fixture
def query(story: tuple[Query, TransformResult]) -> Query:
    return story[0]


def test_a_day_of_a_person_has_the_department_of_that_day(query: Query) -> None:
    rows = query(
        """
        select department, cost_center, min(activity_date)::text, max(activity_date)::text
        from claude_marts.user_activity_daily where user_id = 'ana' group by all order by 3
        """
    )

    assert rows == [
        ("Unmapped", None, "2026-01-05", "2026-01-07"),
        ("Sales", "00420", "2026-01-08", "2026-01-19"),
        ("Operations", "1E5", "2026-01-20", "2026-02-28"),
    ]
    assert query(
        """
        select count(*) from claude_marts.user_product_activity_daily as products
        inner join claude_marts.user_activity_daily as people using (activity_date, user_id)
        where products.department is distinct from people.department
            or products.cost_center is distinct from people.cost_center
        """
    ) == [(0,)]


def test_people_and_seats_of_a_bill_may_be_added_up_over_its_pools(query: Query) -> None:
    rows = query(
        """
        select department, sum(active_user_count), sum(seat_count)
        from claude_marts.chargeback_monthly where month = '2026-01-01'
        group by department order by department
        """
    )

    assert rows == [
        ("Legal", 1, 1), ("Operations", 1, 1), ("Sales", 1, 0),
        ("Unattributed", 0, 5), ("Unmapped", 3, 3),
    ]  # fmt: skip
