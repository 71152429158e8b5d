"""Writes docs/failures.md from the tables that the tests check: python -m tests.faults.table"""

from collections.abc import Iterable
from pathlib import Path

from tests.faults.matrix import FAULTS
from tests.faults.test_damaged import FILES

PAGE = Path(__file__).parents[2] / "docs" / "failures.md"

HEAD = """\
# When something fails

Made from the tests' own tables by `python -m tests.faults.table`. Each line is tried on every kind
of endpoint, in a first load and in a night, and nothing may be lost, wrong or unexplained after it.
What could not be read stays open: the next run asks for it again, also where it lies outside the
days that are asked for again anyway. Other endpoints and sources are loaded all the same, marts are
built from what is there and published, and the run ends with exit code 1.
"""

STOPS = (
    (
        "The run is killed, or the machine goes down, at any moment",
        "nothing; readers keep the last whole publication",
        "run it again: it finishes or forgets what was under way",
    ),
    (
        "The run is told to stop (Ctrl-C, SIGTERM, SIGHUP)",
        "`Stopped. What was committed stays; …`, exit code 130 or 143",
        "run it again",
    ),
    (
        "A command that only reads is told to stop",
        "`Stopped. Nothing was changed.`, or that its file is as it was or written whole",
        "nothing",
    ),
    (
        "The disk is full",
        "`The disk is full (…)`, exit code 1; readers keep what is published",
        "make room, run it again: it fetches what was not stored",
    ),
    (
        "A file meets a limit of its size (`ulimit -f`, FAT)",
        "`A file may not become any larger (…)`, exit code 1; readers keep what is published",
        "raise the limit, run it again",
    ),
)

Line = tuple[str, str, str]


def table(lines: Iterable[Line]) -> str:
    """Lines of which one sees and does the same stand together."""
    together: dict[tuple[str, str], list[str]] = {}
    for happens, sees, does in lines:
        together.setdefault((sees, does), []).append(happens)
    rows = [
        f"| {'<br>'.join(happens)} | {sees} | {does} |"
        for (sees, does), happens in together.items()
    ]
    return "\n".join(["| what happens | what you see | what to do |", "| --- | --- | --- |", *rows])


def page() -> str:
    answers = table((each.happens, each.sees, each.does) for each in FAULTS.values())
    files = table((each.happens, each.sees, each.does) for each in FILES)
    return "\n".join(
        [
            HEAD,
            "## An API answers badly\n",
            answers,
            "\n## The run ends early\n",
            table(STOPS),
            "\n## A file of the data folder is damaged, gone, or something else\n",
            files,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
