"""Counts of what the tests of faults tried and found, of all processes together."""

from collections import Counter

import pytest

TRIED = ("faults tried", "kills", "stops", "fuzz cases", "damaged files")
FOUND = ("lost", "wrong", "traces", "leaked")


class Tally:
    """What a test tried, and what it found wrong; it fails at its end if that is anything."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._properties = request.node.user_properties
        self.found: list[str] = []

    def tried(self, what: str, count: int = 1) -> None:
        assert what in TRIED
        self._properties.append((what, count))

    def find(self, what: str, message: str) -> None:
        assert what in FOUND
        self._properties.append((what, 1))
        self.found.append(f"{what}: {message}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "teardown":
                counts.update(dict_of_counts(report.user_properties))
    if counts:
        tried = ", ".join(f"{name} {counts[name]:,}" for name in TRIED)
        found = ", ".join(f"{name} {counts[name]:,}" for name in FOUND)
        terminalreporter.write_line(f"{tried}: {found}")


def dict_of_counts(properties: list[tuple[str, object]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, count in properties:
        if name in (*TRIED, *FOUND) and isinstance(count, int):
            counts[name] += count
    return counts
