"""The judge of FOCUS files: a good file breaks nothing, and no break goes unseen."""

from pathlib import Path

import pytest

from pipelines.focus.columns import VERSIONS
from pipelines.focus.judge import judge
from pipelines.focus.rules import rules_of
from sources.errors import ForeseenError
from tests.focus.breaks import IN_OTHER_ROWS, IN_ROWS, IN_THE_FILE, IN_THE_TEXT
from tests.focus.good_file import write


def broken_by(file: Path, version: str | None = "1.4") -> dict[str, int]:
    return {each.rule.name: each.rows for each in judge(file, version).broken}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_good_file_breaks_nothing(tmp_path: Path, version: str, form: str) -> None:
    verdict = judge(write(tmp_path / f"good.{form}", version))

    assert [(each.rule.name, each.example) for each in verdict.broken] == []
    assert (verdict.version, verdict.row_count) == (version, 7)
    assert verdict.absent == []


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("rule", [*IN_ROWS, *IN_OTHER_ROWS])
def test_a_break_in_a_row_is_seen(tmp_path: Path, rule: str, form: str) -> None:
    row, change = IN_OTHER_ROWS.get(rule, ("use", IN_ROWS.get(rule)))
    file = write(
        tmp_path / f"bad.{form}", "1.4", f"update charges set {change} where x_Row = '{row}'"
    )

    found = broken_by(file)

    assert any(name.startswith(rule) and rows for name, rows in found.items()), found


@pytest.mark.parametrize("rule", IN_THE_FILE)
def test_a_break_of_the_whole_file_is_seen(tmp_path: Path, rule: str) -> None:
    found = broken_by(write(tmp_path / "bad.parquet", "1.4", IN_THE_FILE[rule]))

    assert any(name.startswith(rule) for name in found), found


@pytest.mark.parametrize("rule", IN_THE_TEXT)
def test_a_value_that_is_written_otherwise_is_seen(tmp_path: Path, rule: str) -> None:
    file = write(tmp_path / "bad.csv", "1.4")
    before, after = IN_THE_TEXT[rule]
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))

    found = broken_by(file)

    assert any(name.startswith(rule) for name in found), found


def test_every_rule_is_broken_once_on_purpose() -> None:
    tried = [*IN_ROWS, *IN_OTHER_ROWS, *IN_THE_FILE, *IN_THE_TEXT]
    between = [rule.name for rule in rules_of("1.4") if rule.of or "is" not in rule.name.split()[1]]

    assert len(tried) >= 60
    assert [name for name in between if name[0].islower() and name not in tried] == []


def test_providers_of_older_versions_are_asked_for_in_them_alone(tmp_path: Path) -> None:
    dropped = "alter table charges drop ProviderName"

    assert "ProviderName is there" in broken_by(write(tmp_path / "a.csv", "1.2", dropped), "1.2")
    assert "a column that the version does not name begins with x_" in broken_by(
        write(tmp_path / "b.csv", "1.3"), "1.4"
    )


def test_a_column_that_is_not_there_is_not_judged(tmp_path: Path) -> None:
    file = write(tmp_path / "few.csv", "1.4", "alter table charges drop SkuPriceId")

    verdict = judge(file)

    assert "a sku price leads to one list price" in {rule.name for rule in verdict.absent}
    assert [each.rule.name for each in verdict.broken] == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "there is no such file"),
        ("letter.csv", b"Dear finance team,\nhere is the bill.\n", "is no file of FOCUS"),
        ("empty.csv", b"", "Its columns are: none"),
        ("cut.parquet", b"PAR1 and then nothing", "cannot be read as CSV or Parquet"),
        (
            "latin.csv",
            b"BilledCost,BillingCurrency,ServiceName\n1,USD,B\xfc\n",
            "UTF-8",
        ),
        ("ragged.csv", b"BilledCost,BillingCurrency,ServiceName\n1,USD\n1,USD,a,b,c\n", "Mend"),
    ],
)
def test_a_file_that_cannot_be_judged_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ForeseenError, match=words):
        judge(file)
