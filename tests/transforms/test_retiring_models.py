"""Models that their vendor retires: our list beside the official package's."""

import re
from datetime import date, datetime

from anthropic.resources.messages import DEPRECATED_MODELS

from pipelines.warehouse.dbt import PROJECT

LIST = PROJECT / "models/intermediate/money/int_retiring_models.sql"


def day(text: str) -> date:
    """`January 22nd, 2027` as a day."""
    return datetime.strptime(re.sub(r"(\d)(st|nd|rd|th),", r"\1,", text), "%B %d, %Y").date()


def test_the_models_that_retire_are_those_of_the_official_package() -> None:
    ours = dict(re.findall(r"'([^']+)': '(\d{4}-\d{2}-\d{2})'", LIST.read_text()))

    assert ours == {model: f"{day(text)}" for model, text in DEPRECATED_MODELS.items()}
