from tests.faults.table import PAGE, page


def test_the_page_about_failures_is_the_one_that_the_tables_make() -> None:
    assert PAGE.read_text() == page(), "python -m tests.faults.table"
