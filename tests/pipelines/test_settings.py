"""Settings: one validation, which `doctor` shows and every command does before anything else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED
from pipelines.settings import KNOWN, RULES, SECTIONS, found, organizations
from sources.errors import ForeseenError
from sources.sandbox import Sandbox
from tests.conftest import Command

SYNC = "sync --today 2026-01-08 --only skills --no-transform"
WRONG = {
    "CHARGEBACK__POLICY": "seat",
    "CHARGEBACK__MONTHLY_AMOUNT_USD": "12,000",
    "CHARGEBACK__COST_CENTERS_FROM": "horoscope",
    "SEATS__GRACE_DAYS": "two weeks",
    "SEATS__DORMANT_AFTER_DAYS": "0",
    "PRIVACY__MIN_GROUP_SIZE": "99999999999999999999",
    "REPORT__ENABLED": "maybe",
    "SOURCES__CLAUDE_ANALYTICS__LAG_DAYS": "-1",
    "SOURCES__CLAUDE_ANALYTICS__COST_API": "newest",
    "SOURCES__CLAUDE_COMPLIANCE__FIRST_DAY": "31.01.2026",
    "SOURCES__CLAUDE_COMPLIANCE__ACTIVITIES_PATH": "activities",
    "SOURCES__LANGDOCK__OVERLAPS": "both",
}
MISSPELT = {
    "SEATS__GRACE_DAY": "SEATS__GRACE_DAYS",
    "seats__grace_days": "SEATS__GRACE_DAYS",
    "CHARGEBACK__POLICIES": "CHARGEBACK__POLICY",
    "SOURCES__CLAUDE_ANALYTIC__API_KEY": "SOURCES__CLAUDE_ANALYTICS__API_KEY",
    "SOURCES__API_KEY": "API_KEY",
    "SOURCES__REFERENCE_FILES__ORGCHART": "SOURCES__REFERENCE_FILES__ORG_CHART",
    "REPORT__FILE__NAME": "There are REPORT__ENABLED, REPORT__OUT.",
}

InFolder = Callable[[str, str], Path]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InFolder:
    """Write one of the two files of settings, in a project folder that commands then start in."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> Path:
        file = tmp_path / ".dlt" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize("variable", WRONG)
def test_a_value_that_cannot_be_used_is_told_by_doctor_and_before_any_run(
    variable: str, api: Sandbox, command: Command, data_dir: DataDir
) -> None:
    ended = command(SYNC, **{variable: WRONG[variable]})
    checked = command("doctor")

    assert (ended.exit_code, checked.exit_code) == (FAILED, FAILED)
    section, _, name = variable.lower().replace("__", ".").rpartition(".")
    for said in (ended.err, checked.out):
        assert f"[{section}] {name} is {WRONG[variable]!r}; it is " in said
        assert f"variable {variable}" in said
        assert "Value error" not in said and "<class" not in said
    assert api.requests == [] and not data_dir.warehouse.exists()
    assert command(f"status --data-dir {data_dir.root}").exit_code == FAILED


@pytest.mark.parametrize("variable", MISSPELT)
def test_a_name_that_does_not_exist_is_told_with_the_nearest_one(
    variable: str, api: Sandbox, command: Command
) -> None:
    ended = command(SYNC, **{variable: "a secret perhaps"})

    assert ended.exit_code == FAILED
    assert f"The variable {variable} is no setting." in ended.err
    assert MISSPELT[variable] in ended.err
    assert "a secret perhaps" not in ended.err
    assert api.requests == []
    assert f"The variable {variable} is no setting." in command("doctor").out


def test_a_variable_with_almost_the_name_of_a_setting_is_doubted_and_stops_nothing(
    command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    assert command(SYNC, SEATS_GRACE_DAYS="3").exit_code == DONE
    assert "SEATS_GRACE_DAYS is not read" in caplog.text
    assert "SEATS__GRACE_DAYS" in command("doctor").out


@pytest.mark.parametrize("value", ["", "  "])
def test_a_blank_value_is_not_set(value: str, command: Command) -> None:
    assert command(SYNC, SEATS__GRACE_DAYS=value, CHARGEBACK__POLICY=value).exit_code == DONE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[seats]\ngrace_day = 14\n", "The nearest one is seats.grace_days"),
        ("[seat]\ngrace_days = 14\n", "The nearest one is seats"),
        ("grace_days = 14\n", "The nearest one is seats.grace_days"),
        ("[sources.langdok]\nfiles = 'x'\n", "The nearest one is sources.langdock"),
        ("[seats]\ngrace_days = [14]\n", "grace_days in [seats]"),
        ("seats = 3\n", "seats in "),
        ("[chargeback]\npolicy = 'seat'\n", "[chargeback] policy is 'seat'; it is one of seats"),
        ("[report]\nenabled = 2\n", "[report] enabled is '2'; it is true or false"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_path(
    text: str, told: str, written: InFolder, command: Command
) -> None:
    file = written("config.toml", text)
    ended = command(SYNC)

    assert ended.exit_code == FAILED
    assert told in ended.err and str(file) in ended.err


def test_other_sections_in_the_file_are_other_peoples(written: InFolder, command: Command) -> None:
    written("config.toml", "[runtime]\nlog_level = 'INFO'\n[normalize]\nworkers = 'x'\n")
    assert command(SYNC).exit_code == DONE


@pytest.mark.parametrize(
    ("text", "told"), [(b"[seats\n", "line 1"), (b"[seats]\nx = '\xe4'\n", "not UTF-8")]
)
def test_a_broken_file_is_told_with_its_line(
    text: bytes, told: str, written: InFolder, command: Command
) -> None:
    file = written("secrets.toml", "")
    file.write_bytes(text)
    ended = command(SYNC)

    assert ended.exit_code == FAILED
    assert f"The settings in {file} cannot be read" in ended.err and told in ended.err
    assert f"{file}" in command("doctor").err


def test_a_secret_beside_the_code_is_refused_and_not_shown(
    written: InFolder, command: Command
) -> None:
    file = written("config.toml", "[notify]\nwebhook_url = 'https://chat.example/s3cret'\n")
    ended = command(SYNC)

    assert ended.exit_code == FAILED
    assert f"is a secret, and it stands in {file}" in ended.err
    assert "s3cret" not in ended.err + ended.out


def test_a_wrong_secret_is_not_shown(command: Command) -> None:
    ended = command(SYNC, NOTIFY__WEBHOOK_URL="s3cret")

    assert ended.exit_code == FAILED
    assert "[notify] webhook_url is not an address" in ended.err
    assert "s3cret" not in ended.err


def test_the_environment_wins_over_secrets_and_those_over_the_rest(
    written: InFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = (("seats",), "grace_days")
    written("config.toml", "[seats]\ngrace_days = 1\n")
    origins = [found(name)]
    monkeypatch.chdir(Path(os.getcwd()).parent)
    monkeypatch.setenv("SEATS__GRACE_DAYS", "3")
    origins.append(found(name))

    assert [(each.text, each.origin.rpartition("/")[2]) for each in origins if each] == [
        ("1", "config.toml"),
        ("3", "variable SEATS__GRACE_DAYS"),
    ]


@pytest.mark.parametrize(
    "variable", ["SOURCES__REFERENCE_FILES__ORG_CHART", "SOURCES__LANGDOCK__FILES"]
)
def test_a_file_that_is_not_there_is_told_before_anything_is_loaded(
    variable: str, api: Sandbox, command: Command, data_dir: DataDir, tmp_path: Path
) -> None:
    ended = command(
        "sync --today 2026-01-08 --no-transform", **{variable: f"{tmp_path}/not there.csv"}
    )

    assert ended.exit_code == FAILED
    assert f"{tmp_path}/not there.csv" in ended.err and "Nothing was loaded" in ended.err
    assert api.requests == [] and not data_dir.warehouse.exists()


def test_every_setting_has_its_rule_and_every_default_obeys_it() -> None:
    for kind in SECTIONS:
        assert RULES[kind].keys() == kind.get_resolvable_fields().keys()
        for name, rule in RULES[kind].items():
            default = getattr(kind(), name)
            assert default is None or rule.accepts(str(default).lower()), name
    assert len(KNOWN) == sum(map(len, RULES.values()))


@pytest.mark.parametrize(
    "head", ["[organizations.developers]", '[[organizations]]\nname = "developers"']
)
def test_an_organisation_is_a_section_of_its_name_or_one_of_a_list(
    written: InFolder, head: str
) -> None:
    written("config.toml", f'{head}\nkind = "console"\nrequests_per_minute = 30\n')
    written("secrets.toml", f'{head}\napi_key = "sk-of-developers"\n')

    [found_one] = organizations()

    assert (found_one.name, found_one.kind) == ("developers", "console")
    assert (found_one.api_key, found_one.requests_per_minute) == ("sk-of-developers", 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[organizations]]\nkind = "console"', "one of the [[organizations]] has no name"),
        ('[[organizations]]\nname = "a"\n' * 2, "two of the [[organizations]] have the same name"),
        ('[[organizations]]\nname = "a"\nkinds = "console"', "kinds in [organizations.a]"),
    ],
)
def test_a_list_of_organisations_that_names_none_is_refused(
    written: InFolder, text: str, said: str
) -> None:
    written("config.toml", text)

    with pytest.raises(ForeseenError) as refused:
        organizations()

    assert said in str(refused.value)
