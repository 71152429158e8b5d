"""The judge of FOCUS files: a good file breaks nothing, and no break goes unseen."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.focus.columns import VERSIONS
from pipelines.focus.judge import judge
from pipelines.focus.rules import rules_of
from sources.errors import ForeseenError
from tests.commands import command
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


def changed(change: Callable[[str], bytes | str]) -> Callable[[Path], bytes]:
    """The good file, its text changed."""

    def made(folder: Path) -> bytes:
        content = change(write(folder / "good.csv", "1.4").read_text())
        return content if isinstance(content, bytes) else content.encode()

    return made


REFUSED: dict[str, tuple[bytes | Callable[[Path], bytes], str]] = {
    "letter.csv": (b"Dear finance team,\nhere is the bill.\n", "hardly a column of it is there"),
    "empty.csv": (b"", "it is empty"),
    "blank.csv": (b"\n\n", "it is empty, or begins with an empty line"),
    "data.json": (b'[{"BilledCost": 1}]', "hardly a column of it is there"),
    "few.csv": (b"BilledCost,amount\n1,2\n", "hardly a column of it is there"),
    "title.csv": (changed(lambda text: f"Our export\n\n{text}"), "but 'Our export'"),
    "semicolons.csv": (
        changed(lambda text: text.replace(",", ";")), "semicolons stand between its columns",
    ),
    "tabs.csv": (changed(lambda text: text.replace(",", "\t")), "tabs stand between its columns"),
    "lower.csv": (
        changed(lambda text: text.lower()), "'allocatedmethoddetails' is AllocatedMethodDetails",
    ),
    "utf16.csv": (changed(lambda text: text.encode("utf-16")), "not text in UTF-8 (byte 0xff)"),
    "latin.csv": (
        changed(lambda text: text.replace("The use", "\xdcbung").encode("latin-1")),
        "it is not text in UTF-8 (byte 0xdc)",
    ),
    "latin_below.csv": (
        changed(lambda text: (text + text.splitlines(True)[1] * 99).encode() + b"\xdc"),
        "not utf-8 encoded",
    ),
    "ragged.csv": (changed(lambda text: f"{text}a,b,c\n"), "line 9: Expected Number of Columns"),
    "open.csv": (changed(lambda text: f'{text}"a,\n'), "line 9: Value with unterminated quote"),
    "workbook.csv": (b"PK\x03\x04\xff\xfe and more", "it is not text in UTF-8"),
    "cut.csv.gz": (
        changed(lambda text: gzip.compress(text.encode())[:-50]), "Unexpected end of GZIP stream",
    ),
    "cut.parquet": (b"PAR1 and then nothing", "cannot be read as CSV or Parquet"),
    "short.parquet": (
        lambda folder: write(folder / "good.parquet", "1.4").read_bytes()[:-100],
        "cannot be read as CSV or Parquet",
    ),
}  # fmt: skip
"""File -> what is in it, and what the refusal says."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_another_tool_wrote_badly_is_refused_in_words(
    tmp_path: Path, name: str
) -> None:
    content, words = REFUSED[name]
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content(tmp_path))

    ended = command(["verify-focus", str(file)])

    assert (ended.exit_code, ended.out) == (1, "")
    assert ended.err.startswith(f"{file} ") and words in ended.err
    assert len(ended.err.splitlines()) == 3


@pytest.mark.parametrize(("name", "words"), [(".", "it is a folder"), ("x", "no such file")])
def test_what_is_no_file_is_refused_in_words(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ForeseenError, match=words):
        judge(tmp_path / name)


def test_a_version_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    file = str(write(tmp_path / "good.csv", "1.4"))

    ended = command(["verify-focus", file, "--version", "2.0"])

    assert ended.exit_code == 2
    assert "'2.0' is not one of '1.2', '1.3', '1.4'" in ended.err


@pytest.mark.parametrize("name", ["bill*.csv", "bill?.parquet", "[bill].csv", "bi'll {x}.csv"])
def test_a_name_with_letters_that_stand_for_others_is_one_file(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / f"a{Path(name).suffix}", "1.4")
    for other in (name, f"bill1{file.suffix}", f"b{file.suffix}"):
        (tmp_path / other).write_bytes(file.read_bytes())

    assert judge(tmp_path / name).row_count == 7


@pytest.mark.parametrize("name", ["good.csv.gz", "packed.csv"])
def test_a_packed_file_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(write(tmp_path / "a.csv", "1.4").read_bytes()))

    assert judge(tmp_path / name).row_count == 7
