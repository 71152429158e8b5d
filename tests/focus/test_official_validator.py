"""The official validator beside our judge: what it counts, and what it lets pass."""

from pathlib import Path

import pytest

from pipelines.focus.judge import judge
from tests.focus.good_file import write
from tests.focus.official import Counts, is_installed, validated

RECORDED = Counts(
    passed=130,
    failed=7,
    skipped=441,
    names=(
        "BilledCost-C-000-M",
        "BilledCost-C-005-C",  # of third parties' charges; it asks it of all
        "EffectiveCost-C-005-C",  # of purchases that cover later use; it asks it of all
        "InvoiceId-C-000-O",
        "InvoiceId-C-003-C",  # null without an invoice, and not null with one: it asks both of all
        "InvoiceId-C-004-C",
        "InvoiceId-C-005-C",
    ),
)
"""focus-validator 2.2.1 and its rules of 1.2."""

pytestmark = [
    pytest.mark.long,  # it needs Python 3.12 or newer, which not every machine of ours has
    pytest.mark.skipif(not is_installed(), reason="make focus-validator installs it"),
]


def test_it_counts_the_same_of_a_good_file_as_was_recorded(tmp_path: Path) -> None:
    """It takes rules about some charges for rules about all; what fails is none of the file's."""
    found = validated(write(tmp_path / "good.csv", "1.2"), "1.2")

    assert found == RECORDED


def test_it_lets_a_category_pass_that_there_is_not(tmp_path: Path) -> None:
    change = "update charges set ChargeCategory = 'Rebate' where x_Row = 'credit'"
    file = write(tmp_path / "bad.csv", "1.2", change)

    assert validated(file, "1.2").names == RECORDED.names
    assert [each.rule.name[:21] for each in judge(file).broken] == ["ChargeCategory is one"]
