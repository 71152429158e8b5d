"""The settings of a run: where each comes from, what it may be, and what is wrong with them."""

import logging
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from dlt.common.configuration import configspec, resolve_configuration
from dlt.common.configuration.providers import EnvironProvider
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.configuration.specs.base_configuration import is_secret_hint
from dlt.common.typing import TSecretStrValue

from pipelines.dlt_context import plug_in
from pipelines.project import here
from pipelines.registry import SOURCES
from pipelines.warehouse import ENGINES
from sources.errors import ForeseenError
from sources.organisation import FURTHER, Further
from sources.plausibility import RULES as DOUBT_RULES
from sources.plausibility import DoubtSettings
from sources.reference_files.files import POLICIES
from sources.regular import regular_bytes
from sources.rules import FLAG, PART, PATH, TEXT, Rule, choice, whole

log = logging.getLogger(__name__)

FOLDER = ".dlt"
SECRETS, CONFIG = "secrets.toml", "config.toml"
"""The files of settings, in the project's folder `.dlt`."""


@configspec
class PipelineSettings(BaseConfiguration):
    """`[pipeline]`: data_dir is the folder that holds everything a run writes; destination the
    engine of the warehouse; served_mode who may read the published file, None: as it was, and at
    first its owner."""

    data_dir: str = "data"
    destination: str = "duckdb"
    served_mode: str | None = None


@configspec
class PostgresSettings(BaseConfiguration):
    """`[postgres]`: the server and database of a warehouse there, and who runs are to it.

    Attributes:
        sslmode: How much the connection is secured, in the server's own words.
        sslrootcert: The file of those who sign its certificate.
    """

    host: str = "localhost"
    port: str = "5432"
    database: str = ""
    username: str = ""
    password: TSecretStrValue | None = None
    sslmode: str = "prefer"
    sslrootcert: str | None = None
    connect_timeout_seconds: str = "15"


@configspec
class SeatsSettings(BaseConfiguration):
    """`[seats]`: when a seat is dormant, until when it is new, and when a cheaper one would do."""

    dormant_after_days: int = 30
    grace_days: int = 14
    downgrade_active_days: int = 4


@configspec
class PrivacySettings(BaseConfiguration):
    """`[privacy]`: who is named in what is stored, and the smallest department that is shown.

    Attributes:
        identity: `full`: people as the APIs name them; `pseudonymous`: keyed hashes of them;
            `none`: no person at all.
        identity_key: What the hashes are keyed with; a secret, made by `init`.
        min_group_size: The smallest department that adoption marts show by name.
        keep_people_days: After how many days in which nothing is heard of them people become
            pseudonyms; None: never.
    """

    identity: str = "full"
    identity_key: TSecretStrValue | None = None
    min_group_size: int = 5
    keep_people_days: int | None = None


@configspec
class CalendarSettings(BaseConfiguration):
    """`[calendar]`: the month, 1 to 12, with which a fiscal year begins."""

    fiscal_year_start_month: int = 1


@configspec
class ChargebackSettings(BaseConfiguration):
    """`[chargeback]`: how each cost pool is split, and what seats cost if no price list says so.

    Attributes:
        policy: Of seat fees; `seats_policy`, named like the others, wins over it. There, `direct`
            means the same as `seats`.
        cost_centers_from: `org_chart`, or the RBAC groups of the reference file cost_center_groups.
        largest_correction: The part of a closed month's bill that restated cost may correct without
            an explanation.
    """

    policy: str = "seats"
    seats_policy: str | None = None
    metered_policy: str = "direct"
    shared_policy: str = "proportional"
    cost_centers_from: str = "org_chart"
    monthly_amount_usd: str | None = None
    largest_correction: str = "1/100"


@configspec
class ReportSettings(BaseConfiguration):
    """`[report]`: whether a run writes the report, and where; a relative path is in data_dir."""

    enabled: bool = False
    out: str = "report.html"


@configspec
class CheckSettings(BaseConfiguration):
    """`[check]`: what `check` still takes for fine.

    Attributes:
        max_age_days: How old the newest day of an endpoint may be: three days of lag, one until the
            next run, and one that may be skipped.
        max_run_hours: How long ago the last run may have begun.
        coverage_days: How far back days are looked for that are missing.
        max_missing_days: How many days of endpoints may be missing.
        max_rejected_rows: How many rows may be unread.
    """

    max_age_days: int = 5
    max_run_hours: int = 36
    coverage_days: int = 90
    max_missing_days: int = 0
    max_rejected_rows: int = 0


@configspec
class NotifySettings(BaseConfiguration):
    """`[notify]`: who is told how a run went.

    Attributes:
        webhook_url: The chat's address; a secret.
        webhook_form: What the chat reads: a text (Slack, Mattermost, Google Chat and the like), or
            a card of Teams.
        heartbeat_url: Address of a dead man's switch, called after a good run; a secret.
    """

    webhook_url: TSecretStrValue | None = None
    webhook_form: str = "text"
    heartbeat_url: TSecretStrValue | None = None


@configspec
class LoggingSettings(BaseConfiguration):
    """`[logging]`: whether a run says what it does in plain text, or in lines of JSON."""

    format: str = "plain"


@configspec
class TelemetrySettings(BaseConfiguration):
    """`[telemetry]`: the collector of OpenTelemetry that each run is sent to."""

    endpoint: str | None = None


Settings = TypeVar("Settings", bound=BaseConfiguration)

SECTIONS: dict[type[BaseConfiguration], tuple[str, ...]] = {
    PipelineSettings: ("pipeline",),
    PostgresSettings: ("postgres",),
    **{source.settings: ("sources", source.name) for source in SOURCES},
    SeatsSettings: ("seats",),
    PrivacySettings: ("privacy",),
    CalendarSettings: ("calendar",),
    ChargebackSettings: ("chargeback",),
    ReportSettings: ("report",),
    CheckSettings: ("check",),
    NotifySettings: ("notify",),
    LoggingSettings: ("logging",),
    TelemetrySettings: ("telemetry",),
    DoubtSettings: ("doubts",),
}
CREDENTIALS = ("sources", "filesystem")
"""The section of an object store's credentials, in dlt's form."""
DESTINATION = "destination"
"""The section of places to which marts are copied, each with one of its own, in dlt's form."""

Name = tuple[tuple[str, ...], str]
"""A setting: its sections, and its own name."""


def _is_amount(text: str) -> bool:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return False
    return amount.is_finite() and amount == round(amount, 8) and abs(amount) < Decimal("1e18")


NAME = Rule(
    "a name of at most 63 bytes", lambda text: text.isprintable() and len(text.encode()) <= 63
)
"""What a server knows by its whole name; it cuts longer ones without a word."""
ADDRESS = Rule("an address that begins with https://", lambda text: "://" in text)

RULES: dict[type[BaseConfiguration], Mapping[str, Rule]] = {
    PipelineSettings: {
        "data_dir": PATH,
        "destination": choice(*ENGINES),
        "served_mode": choice("600", "640", "644"),
    },
    PostgresSettings: {
        "host": Rule(
            "the name of a host", lambda text: re.fullmatch(r"[^\s/@?]+", text) is not None
        ),
        "port": whole(1, 65_535),
        "database": NAME,
        "username": NAME,
        "password": TEXT,
        "sslmode": choice("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        "sslrootcert": PATH,
        "connect_timeout_seconds": whole(1, 600),
    },
    **{source.settings: source.rules for source in SOURCES},
    SeatsSettings: {
        "dormant_after_days": whole(1),
        "grace_days": whole(0),
        "downgrade_active_days": whole(0),
    },
    PrivacySettings: {
        "identity": choice("full", "pseudonymous", "none"),
        "identity_key": Rule(
            "a secret of at least 32 characters",
            lambda text: all(len(part) >= 32 for part in re.split(r"[\s,]+", text.strip())),
        ),
        "min_group_size": whole(1, 1_000_000),
        "keep_people_days": whole(1, 36_500),
    },
    CalendarSettings: {"fiscal_year_start_month": whole(1, 12)},
    ChargebackSettings: {
        "policy": choice(*POLICIES["seats"]),
        "seats_policy": choice(*POLICIES["seats"]),
        "metered_policy": choice(*POLICIES["metered"]),
        "shared_policy": choice(*POLICIES["shared"]),
        "cost_centers_from": choice("org_chart", "groups"),
        "monthly_amount_usd": Rule(
            "an amount of US dollars such as 12000.00, without separators", _is_amount
        ),
        "largest_correction": PART,
    },
    ReportSettings: {
        "enabled": FLAG,
        "out": PATH,
    },
    CheckSettings: {
        "max_age_days": whole(1),
        "max_run_hours": whole(1),
        "coverage_days": whole(1),
        "max_missing_days": whole(0),
        "max_rejected_rows": whole(0),
    },
    NotifySettings: {
        "webhook_url": ADDRESS,
        "webhook_form": choice("text", "teams"),
        "heartbeat_url": ADDRESS,
    },
    LoggingSettings: {"format": choice("plain", "json")},
    TelemetrySettings: {
        "endpoint": Rule(
            "scheme, host and port of a collector, such as http://localhost:4318",
            lambda text: re.fullmatch(r"https?://[^/\s]+/?", text) is not None,
        )
    },
    DoubtSettings: DOUBT_RULES,
}
"""What each setting may be."""

KNOWN: Mapping[Name, Rule] = {
    (sections, name): rule
    for kind, sections in SECTIONS.items()
    for name, rule in RULES[kind].items()
}
ORGANIZATION_RULES: Mapping[str, Rule] = {
    "kind": choice("console", "parent"),
    "api_key": TEXT,
    "base_url": TEXT,
    "requests_per_minute": whole(1, 1_000_000),
}
"""What each setting of a section `[organizations.<name>]` may be."""
CHILDREN = "children"
"""Table of a parent's section: id of a child -> what it is called."""
_ORGANIZATION = re.compile(r"[a-z][a-z0-9_]*")
SECRET = {
    (sections, name)
    for kind, sections in SECTIONS.items()
    for name, hint in kind.get_resolvable_fields().items()
    if is_secret_hint(hint)
}


@dataclass(frozen=True)
class Found:
    """A value as it is written, as text, and where it stands."""

    text: str
    origin: str


@dataclass(frozen=True)
class _File:
    """A file of settings: what it says, and why it cannot be read, if so."""

    path: Path
    document: Mapping[str, Any]
    problem: str | None = None


def settings(kind: type[Settings]) -> Settings:
    """One section of the settings; its paths are absolute.

    Raises:
        ForeseenError: A value of it is not what it has to be.
    """
    sections, rules = SECTIONS[kind], RULES[kind]
    if wrong := [*_broken_files(), *(w for n in rules for w in _wrong((sections, n)))]:
        raise ForeseenError("\n".join(wrong))
    found = resolve_configuration(kind(), sections=sections)
    for name, rule in rules.items():
        value = getattr(found, name)
        if rule is PATH and value and kind is not ReportSettings:
            setattr(found, name, absolute(value))
    return found


def organizations() -> list[Further]:
    """The organisations beside the first one by their names; parents last, since what their keys
    tell of must not be told by another's too.

    Raises:
        ForeseenError: A value is not what it has to be, or is missing.
    """
    if wrong := [*_broken_files(), *_wrong_organizations()]:
        raise ForeseenError("\n".join(wrong))
    found = [
        Further(
            name=name,
            kind=given["kind"],  # type: ignore[arg-type]
            api_key=given["api_key"],
            base_url=given.get("base_url"),
            requests_per_minute=int(given.get("requests_per_minute", 60)),
            children=_children(name),
        )
        for name, given in _organizations().items()
    ]
    return sorted(found, key=lambda further: further.kind == "parent")


def _organizations() -> dict[str, dict[str, str]]:
    """What is set of each of them, by its name; one without anything is there too."""
    names = {
        name
        for file in (_file(CONFIG), _file(SECRETS))
        for name in _table(file.document.get(FURTHER))
    }
    of_variable = re.compile(rf"{FURTHER}__(\w+?)__({'|'.join(ORGANIZATION_RULES)})", re.IGNORECASE)
    for variable in os.environ:
        if match := of_variable.fullmatch(variable):
            names.add(match[1].lower())
    given: dict[str, dict[str, str]] = {}
    for name in sorted(names):
        values = {own: found(((FURTHER, name), own)) for own in ORGANIZATION_RULES}
        given[name] = {own: value.text for own, value in values.items() if value}
    return given


def _children(name: str) -> dict[str, str]:
    """What a parent's children are called, by their ids."""
    return {
        id: _text(called).strip()
        for file in (_file(CONFIG), _file(SECRETS))
        for id, called in _table(
            _table(_table(file.document.get(FURTHER)).get(name)).get(CHILDREN)
        ).items()
    }


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _wrong_organizations() -> Iterator[str]:
    for file in (_file(CONFIG), _file(SECRETS)):
        for name, section in _table(file.document.get(FURTHER)).items():
            for own, value in _table(section).items():
                if own == CHILDREN:
                    yield from _wrong_children(name, value, file)
                elif own not in ORGANIZATION_RULES:
                    where = f"{own} in [{FURTHER}.{name}] of {file.path}"
                    yield _unknown(where, own, {*ORGANIZATION_RULES, CHILDREN})
    for name, given in _organizations().items():
        if not _ORGANIZATION.fullmatch(name):
            yield (
                f"[{FURTHER}.{name}] is no name of an organisation here.\n"
                "It is made of small letters, digits and _ and begins with a letter.\n"
                "Call it otherwise; it is yours, and no answer has it."
            )
        if given.get("kind") == "enterprise":
            yield (
                f"[{FURTHER}.{name}] kind is 'enterprise': one Enterprise organisation fits into a "
                "folder, the first one, because seats and people are those of one.\n"
                f'Load it into a folder of its own (--data-dir), or set kind = "parent" with the '
                "key of their parent organisation: then their cost is one bill."
            )
            continue
        for own in ORGANIZATION_RULES:
            yield from _wrong(((FURTHER, name), own))
        for own in ("kind", "api_key"):
            if own not in given:
                yield (
                    f"[{FURTHER}.{name}] has no {own}.\n"
                    f"An organisation has a kind (console or parent) and a key.\n"
                    f"Set {_variable(((FURTHER, name), own))}, or remove [{FURTHER}.{name}]."
                )


def _wrong_children(name: str, value: object, file: _File) -> Iterator[str]:
    names = _table(value)
    is_fine = bool(names) and all(
        isinstance(called, str) and called.strip() for called in names.values()
    )
    is_parent = _organizations()[name].get("kind") == "parent"
    if is_fine and is_parent:
        return
    yield (
        f"[{FURTHER}.{name}.{CHILDREN}] of {file.path} "
        + ("is no table of names by id.\n" if is_parent else "is not of a parent.\n")
        + "Children of a parent are called by the id that its cost has of them: no answer of the "
        "API names them.\n"
        'Write each as "ID" = "name", or remove it: they are then shown by their ids.'
    )


def _rule(name: Name) -> Rule | None:
    """What a setting may be; None: there is none of that name."""
    sections, own = name
    if sections[:1] == (FURTHER,) and len(sections) == 2:
        return ORGANIZATION_RULES.get(own)
    return KNOWN.get(name)


def _is_secret(name: Name) -> bool:
    return name in SECRET or (name[0][:1] == (FURTHER,) and name[1] == "api_key")


def settings_files() -> list[str]:
    """The files of settings that are there, seen from the project's folder."""
    return [f"{FOLDER}/{name}" for name in (CONFIG, SECRETS) if (here() / FOLDER / name).is_file()]


def settings_variables() -> list[str]:
    """The environment's variables that are settings of ours."""
    ours = {_variable(name) for name in KNOWN}
    ours |= {
        _variable(((FURTHER, name), own)) for name in _organizations() for own in ORGANIZATION_RULES
    }
    return sorted(name for name in os.environ if name in ours and os.environ[name].strip())


def absolute(path: str) -> str:
    """The path from the root, `~` written out; a URL stays as it is.

    A relative one starts at the project's folder, which holds `.dlt`.
    """
    return path if "://" in path else str(here() / Path(os.path.expanduser(path)))


def require_settings() -> None:
    """See that every setting can be used, before anything is done.

    Raises:
        ForeseenError: Which cannot, why, and what to do.
    """
    for doubt in doubts():
        log.warning(doubt)
    if wrong := problems():
        raise ForeseenError("\n".join(wrong))


def problems() -> list[str]:
    """One message per setting that is not known or not what it has to be."""
    return [
        *_broken_files(),
        *_unknown_variables(),
        *(message for file in (_file(CONFIG), _file(SECRETS)) for message in _unknown_keys(file)),
        *(message for name in KNOWN for message in _wrong(name)),
        *_wrong_organizations(),
    ]


def doubts() -> list[str]:
    """One message per variable that is none of ours, but is called much like one."""
    ours = {_variable(name) for name in KNOWN}
    return [
        f"The variable {name} is not read; a setting with a name like it is {near}."
        for name in sorted(os.environ)
        if name not in ours and not _claims(name)
        for near in get_close_matches(name.upper(), ours, n=1, cutoff=0.9)
    ]


def check(section: str, name: str, text: str) -> None:
    """See that the text may be the value of this setting.

    Raises:
        ForeseenError: It may not.
    """
    rule = KNOWN[(section,), name]
    if not rule.accepts(text):
        raise ForeseenError(
            f"[{section}] {name} is {text!r}; it is {rule.form}.\n"
            f"Set [{section}] {name} to one of those."
        )


def found(name: Name) -> Found | None:
    """The value that counts: of the environment, else of secrets.toml, else of config.toml."""
    sections, own = name
    value, variable = _environment.get_value(
        own, TSecretStrValue if _is_secret(name) else str, "", *sections
    )
    if value is not None and str(value).strip():
        text = str(value).strip() if _is_secret(name) else str(value)
        return Found(text, f"variable {variable}")
    for file in (_file(SECRETS), _file(CONFIG)):
        value = _at(file.document, (*sections, own))
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return Found(_text(value), str(file.path))
    return None


_environment = EnvironProvider()


def _lookup(sections: tuple[str, ...], name: str) -> Any:
    """What dlt is given where it asks for a value."""
    if (sections, name) in KNOWN:
        value = found((sections, name))
        return value.text if value else None
    is_of_copies = _copies and sections[:1] == (DESTINATION,) and len(sections) > 1
    if sections[:2] == CREDENTIALS or (is_of_copies and sections[1] != "credentials"):
        value, _ = _environment.get_value(name, str, "", *sections)
        documents = (_file(SECRETS).document, _file(CONFIG).document)
        stored = (_at(document, (*sections, name)) for document in documents)
        return value or next((each for each in stored if each is not None), None)
    return None


_copies: list[None] = []


@contextmanager
def destinations_of_dlt() -> Iterator[None]:
    """Meanwhile dlt sees what is set in sections of destinations; at other times, one of that name
    would steer the warehouse's own."""
    _copies.append(None)
    try:
        yield
    finally:
        _copies.pop()


def _at(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    for part in path:
        if not isinstance(document, Mapping) or part not in document:
            return None
        document = document[part]
    return document


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file(name: str) -> _File:
    return _read(here() / FOLDER / name)


@cache
def _read(path: Path) -> _File:
    try:
        text = regular_bytes(path).decode("utf-8-sig")
        document = tomllib.loads(text, parse_float=str)
    except (FileNotFoundError, NotADirectoryError):
        return _File(path, {})
    except OSError as error:
        return _File(path, {}, f"{error.strerror}.")
    except UnicodeDecodeError:
        return _File(path, {}, "it is not UTF-8.")
    except tomllib.TOMLDecodeError as error:
        return _File(path, {}, f"it is not TOML: {error}.")
    listed = document.get(FURTHER)
    if not isinstance(listed, list):
        return _File(path, document)
    # [[organizations]] with name = "developers" is [organizations.developers].
    names = [each.get("name") if isinstance(each, Mapping) else None for each in listed]
    if not all(isinstance(name, str) and name.strip() for name in names):
        return _File(path, {}, f"one of the [[{FURTHER}]] has no name.")
    if len({*names}) < len(names):
        return _File(path, {}, f"two of the [[{FURTHER}]] have the same name.")
    sections = {
        name: {own: value for own, value in each.items() if own != "name"}
        for name, each in zip(names, listed, strict=True)
    }
    return _File(path, {**document, FURTHER: sections})


def _broken_files() -> Iterator[str]:
    for file in (_file(CONFIG), _file(SECRETS)):
        if file.problem:
            yield (
                f"The settings in {file.path} cannot be read: {file.problem}\n"
                "Nothing was done, because each of them would count as not set.\n"
                'Correct the file (a text stands in quotes: name = "text"), then run this again.'
            )


def _wrong(name: Name) -> Iterator[str]:
    """What is wrong with the value that a setting has."""
    sections, own = name
    section = ".".join(sections)
    if _is_secret(name) and _at(_file(CONFIG).document, (*sections, own)):
        yield (
            f"[{section}] {own} is a secret, and it stands in {_file(CONFIG).path}.\n"
            "That file is kept with the code, where others read it.\n"
            f"Move it to {_file(SECRETS).path}, or set {_variable(name)}."
        )
    value, rule = found(name), _rule(name)
    if value is None or rule is None or rule.accepts(value.text):
        return
    shown = "not" if _is_secret(name) else f"{value.text!r}; it is"
    yield (
        f"[{section}] {own} is {shown} {rule.form}.\n"
        f"It was read from {value.origin}.\n"
        "Correct it there, or remove it: the default counts where nothing is set."
    )


def _variable(name: Name) -> str:
    return "__".join((*name[0], name[1])).upper()


def _claims(variable: str) -> bool:
    """Whether a variable is called as only our settings are."""
    parts = tuple(variable.lower().split("__"))
    if len(parts) < 2:
        return False
    sections = {sections for sections, _ in KNOWN}
    if parts[0] != "sources":
        return parts[:1] in sections
    if parts[:2] == CREDENTIALS:
        return False
    near = get_close_matches(parts[1], [each[1] for each in sections if len(each) > 1], cutoff=0.8)
    # A variable of all sources steered each of ours; one of another source is another project's.
    return bool(near) if len(parts) > 2 else any(parts[1] == own for _, own in KNOWN)


def _unknown_variables() -> Iterator[str]:
    ours = {_variable(name) for name in KNOWN}
    for name in sorted(os.environ):
        if name not in ours and _claims(name):
            yield _unknown(f"The variable {name}", name.upper(), ours)


def _unknown_keys(file: _File) -> Iterator[str]:
    sections = {sections for sections, _ in KNOWN}
    names = {".".join((*sections, own)) for sections, own in KNOWN}
    own_names = {own for _, own in KNOWN}

    def inspect(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
        for key, value in table.items():
            here = (*path, key)
            table_name = f"[{'.'.join(path)}] of " if path else ""
            where = f"{key} in {table_name}{file.path}"
            if path in sections:
                if (path, key) not in KNOWN:
                    yield _unknown(where, ".".join(here), names)
                elif isinstance(value, list | dict):
                    yield (
                        f"{where} is a {'list' if isinstance(value, list) else 'table'}.\n"
                        f"It is {KNOWN[path, key].form}.\nCorrect it, then run this again."
                    )
            elif isinstance(value, Mapping):
                siblings = {each[len(path)] for each in sections if each[: len(path)] == path}
                if key in siblings:
                    yield from inspect(value, here)
                elif here != CREDENTIALS and get_close_matches(key, siblings, cutoff=0.8):
                    yield _unknown(
                        f"[{'.'.join(here)}] of {file.path}",
                        ".".join(here),
                        {".".join(each) for each in sections},
                    )
            elif here in sections or key in own_names:
                yield _unknown(where, ".".join(here), names)

    return inspect(file.document, ())


def _unknown(what: str, name: str, ours: set[str]) -> str:
    near = get_close_matches(name, ours, n=1, cutoff=0.75)
    section = re.match(r"[a-z]+", name, re.IGNORECASE)
    beside = sorted(each for each in ours if section and each.startswith(section[0]))
    nearest = f"The nearest one is {near[0]}." if near else f"There are {', '.join(beside)}."
    return (
        f"{what} is no setting.\n"
        f"{nearest}\n"
        "Correct the name, or remove it: it would be passed over without a word."
    )


plug_in(_lookup)
