"""The lists of docs/growing.md are true: by them, one of each kind is added to a copy and run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.growing.additions import ADDITIONS, Tree

ROOT = Path(__file__).parent.parent
COPIED = ("sources", "pipelines", "transforms", "tests", "docs", ".dlt")
FILES = ("README.md", "pyproject.toml", "LICENSE")


def listed(heading: str) -> list[str]:
    """The files that the page names for this, in order."""
    page = (ROOT / "docs/growing.md").read_text()
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)


def is_listed(path: str, patterns: list[str]) -> bool:
    forms = [re.sub(r"<\w+>", r"\\w+", re.escape(pattern)) for pattern in patterns]
    forms = [re.sub(r"\\?<\w+\\?>", r"\\w+", form) for form in forms]
    return any(re.fullmatch(form + (".*" if form.endswith("/") else ""), path) for form in forms)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    root = tmp_path_factory.mktemp("grown")
    leave_out = shutil.ignore_patterns("__pycache__", "*.xz", "secrets.toml")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=leave_out)
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    yield Tree(root)


@pytest.fixture(scope="module")
def touched(tree: Tree) -> dict[str, list[str]]:
    """Heading -> the files that its addition touched."""
    found = {}
    for heading, (add, _) in ADDITIONS.items():
        tree.touched = []
        add(tree)
        found[heading] = sorted(set(tree.touched))
        print(f"{heading}: {len(found[heading])} files: {', '.join(found[heading])}")
    return found


def run(tree: Tree, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=tree.root,
        env={**os.environ, "PYTHONPATH": str(tree.root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


@pytest.mark.parametrize("heading", ADDITIONS)
def test_an_addition_touches_the_files_of_its_list_and_few_of_them(
    heading: str, touched: dict[str, list[str]]
) -> None:
    files, patterns = touched[heading], listed(heading)

    assert [path for path in files if not is_listed(path, patterns)] == []
    assert len(files) <= ADDITIONS[heading][1]


def test_every_list_names_files_that_are_there_or_a_place_for_one() -> None:
    for heading in (*ADDITIONS, "A warehouse"):
        for path in listed(heading):
            place = ROOT / path.split("<")[0]
            assert place.exists() or place.parent.exists(), path


def test_a_field_an_endpoint_a_mart_and_a_vendor_are_loaded_and_documented(
    tree: Tree, touched: dict[str, list[str]], tmp_path: Path
) -> None:
    out = run(tree, "-m", "tests.growing.in_copy", str(tmp_path / "data"))
    run(
        tree,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "tests/test_docs.py",
        "tests/sources/test_endpoints.py",
    )

    assert "Loaded 2 people of Acme. []" in out
    assert "status: 2" in out
    assert "{'gadget_name': 'saw', 'color': 'red'}" in out


@pytest.mark.long
def test_what_was_added_is_built_into_the_marts(
    tree: Tree, touched: dict[str, list[str]], tmp_path: Path
) -> None:
    out = run(tree, "-m", "tests.growing.in_copy", str(tmp_path / "data"), "build")

    assert out.count("[{'gadget_name': 'saw', 'color': 'red'}]") == 2
    assert "['ada@example.com', 'ben@example.com']" in out
