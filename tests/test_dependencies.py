"""What is installed beside us: the files of the lock, under licences that we know. No network."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = [
    "requirements.txt",
    *sorted(
        str(file.relative_to(ROOT))
        for file in ROOT.glob("tests/*/*.txt")
        if "==" in file.read_text()
    ),
]
"""The lock, and those of the tools that some tests run in an environment of their own."""


def entries(lock: str) -> list[str]:
    """Each requirement of a lock, with its hashes."""
    return re.findall(r"(?m)^\S.*(?:\n\s+--hash.*)*", (ROOT / lock).read_text())


ENTRIES = entries("requirements.txt")
LOCKED = {
    canonicalize_name(requirement.name): requirement
    for requirement in (Requirement(re.split(r"\s*\\\n", entry)[0]) for entry in ENTRIES)
}
PERMISSIVE = (
    "0BSD", "3-Clause BSD", "AFL", "Apache", "Artistic", "BSD", "CNRI-Python", "ISC", "MIT", "MPL",
    "Mozilla Public License 2.0", "PSF", "Python Software Foundation",
)  # fmt: skip
"""How licences begin that ask for no more than to be named, or for their own files' source."""
LESSER = {"psycopg2-binary": "GNU Library or Lesser General Public License (LGPL)"}
"""Libraries of extras that may be used as they are by programs of any licence: dbt and dlt talk to
PostgreSQL by this one."""

IN_A_FILE = {"axe-playwright-python"}
"""Says its licence (MIT, and MPL-2.0 of the axe-core in it) in files and not in its metadata; tests
alone use it, and it is not passed on."""


def licence(name: str) -> str:
    """The package's own words; several that one may choose from are parted by OR."""
    told = metadata(name).json
    if expression := told.get("license_expression"):
        return str(expression)
    names = [
        text.rpartition(" :: ")[2].removesuffix(" License")
        for text in told.get("classifier", [])
        if text.startswith("License :: ") and text.count(" :: ") > 1
    ]
    return " OR ".join(names) or str(told.get("license", "")).strip()


def is_known(licence: str) -> bool:
    choices = re.split(r"\s+OR\s+", licence.replace("(", "").replace(")", ""))
    return any(
        all(part.startswith(PERMISSIVE) for part in re.split(r"\s+AND\s+", choice))
        for choice in choices
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_one_version_of_each_file_by_its_hash_and_no_other_place(lock: str) -> None:
    found = entries(lock)
    assert len(LOCKS) == 5 and len(found) > 30
    for entry in found:
        first, *hashes = re.split(r"\s*\\\n\s*", entry)
        assert re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.!+-]+( ; .+)?", first), first
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", h) for h in hashes), first
    text = (ROOT / lock).read_text()
    assert "://" not in text and not re.search(r"(?m)^\s*-(e|i|f|-index|-extra|-find)", text)


LOCKED_EXTRAS = ("deltalake", "otel", "postgres", "pyiceberg", "sandbox")
"""Those that the suite needs."""


def test_everything_that_we_ask_for_is_locked_as_we_ask_for_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    asked = [
        *project["project"]["dependencies"],
        *(each for extra in LOCKED_EXTRAS for each in extras[extra]),
        *project["dependency-groups"]["dev"],
    ]
    for requirement in map(Requirement, asked):
        [locked] = LOCKED[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(locked.version, prereleases=True), requirement


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_a_locked_package_is_installed_as_locked_under_a_licence_that_we_know(name: str) -> None:
    locked = LOCKED[canonicalize_name(name)]
    if locked.marker and not locked.marker.evaluate():
        return  # For another system, or another Python.
    [pin] = locked.specifier
    try:
        assert version(name) == pin.version
    except PackageNotFoundError:
        pytest.fail(f"{name} is locked and not installed: make install")
    if name in IN_A_FILE:
        return
    assert is_known(licence(name)) or licence(name) == LESSER.get(name), licence(name)


def test_a_licence_that_is_not_known_is_seen() -> None:
    assert not is_known("GPL-3.0-only") and not is_known("MIT AND AGPL-3.0") and not is_known("")
    assert is_known("GNU General Public License (GPL) OR Artistic")
