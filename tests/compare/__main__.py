"""Builds two commits on the same served data, and compares their marts and their words.

Run: make compare BASE=<commit>
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.sandbox import Sandbox
from tests.compare.differences import Allowed, gone_and_changed, json_lines, lines, marts, plain
from tests.compare.lanes import REPOSITORY, Lane, checked_out, libraries_of
from tests.compare.stories import BELIEVED, STORIES, Step, Story, World, prepare

WANTED = Path(__file__).with_name("wanted.txt")
"""What later issues asked to change of the marts and words of 1d19b5d."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    exit_code: int
    out: str
    err: str


class Comparison:
    """Counts and prints what differs."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed = allowed
        self.rows = self.differing_rows = self.differing_words = 0

    @property
    def is_equal(self) -> bool:
        return not (self.differing_rows or self.differing_words)

    def words(self, step: Step, old: Ended, new: Ended, lanes: Sequence[Lane]) -> None:
        if old.exit_code != new.exit_code and f"exit.{step.words}" not in self.allowed:
            self._differ([f"exit code {new.exit_code}, was {old.exit_code}"])
        folders = [folder for lane in lanes for folder in (lane.folder, lane.checkout)]
        for before, after in ((old.out, new.out), (old.err, new.err)):
            first, second = (plain(text, folders) for text in (before, after))
            if "--json" in step.words:
                first, second = (json_lines("\n".join(text)) for text in (first, second))
                second = gone_and_changed(first, second)
            self._differ(lines(first, second, self.allowed))

    def files(self, old: Lane, new: Lane) -> None:
        for file in sorted(path.name for path in old.out.iterdir()):
            written = new.out / file
            if f"files.{file}" in self.allowed:
                continue
            if not written.exists() or written.read_bytes() != (old.out / file).read_bytes():
                self._differ([f"{file} is another one"])

    def marts(self, title: str, old: Lane, new: Lane, *, is_last: bool) -> None:
        """Compare what the two serve; the last time, each mart is printed."""
        unequal = []
        counted = 0
        for mart in marts(old.served, new.served, self.allowed):
            self.rows += mart.row_count
            self.differing_rows += mart.differing
            counted += 1
            if not mart.is_equal and not mart.differing:
                self.differing_rows += 1  # A column or a mart that is gone, or of another type.
            if not mart.is_equal:
                unequal.append(mart.name)
            elif not is_last:
                continue
            for note in (
                f"{mart.row_count} rows, {mart.differing} differ",
                *(f"gone: {name}" for name in mart.gone),
                *(f"new: {name}" for name in mart.new),
                *mart.notes,
            ):
                print(f"    {mart.name}: {note}")
        print(f"  {title}: {counted} marts, {len(unequal)} differ: {', '.join(unequal) or '-'}")

    def _differ(self, found: Sequence[str]) -> None:
        self.differing_words += len(found)
        for line in found:
            print(f"    {line}")


def run(lanes: Sequence[Lane], step: Step, environment: Mapping[str, str]) -> list[Ended]:
    """Runs a step's command in every lane at once."""
    running = [lane.start(step.words, {**environment, **step.environment}) for lane in lanes]
    printed = [process.communicate() for process in running]
    return [
        Ended(process.returncode, out, err)
        for process, (out, err) in zip(running, printed, strict=True)
    ]


def compare(story: Story, base: Path, folder: Path, comparison: Comparison) -> None:
    """Tells the story to both commits; a third lane is the new one in the old one's folder."""
    files = folder / "files"
    files.mkdir(parents=True)
    old = Lane(base, folder / "old", libraries_of(base))
    new, heir = (Lane(REPOSITORY, folder / name) for name in ("new", "heir"))
    lanes = [old, new]
    for lane in lanes:
        lane.make()
    with Sandbox(seats=story.seats, today=story.today) as api:
        world = World(api, files)
        prepare(world)
        environment = {**story.environment(world), **BELIEVED}
        for number, step in enumerate(story.steps):
            step.before(world)
            if number == story.handed_over:
                heir.make()
                shutil.copytree(old.data, heir.data, dirs_exist_ok=True)
                lanes.append(heir)
            started = time.monotonic()
            served = _written_at(old)
            ended = run(lanes, step, environment)
            if step.takes_away:
                run(lanes[1:], Step("publish --accept-loss"), environment)
            print(
                f"  {step.words}: exit {ended[1].exit_code}, {time.monotonic() - started:.0f} s",
                flush=True,
            )
            for lane, each in zip(lanes[1:], ended[1:], strict=True):
                comparison.words(step, ended[0], each, lanes)
                if _written_at(old) != served:
                    comparison.marts(lane.folder.name, old, lane, is_last=False)
    for lane in lanes[1:]:
        comparison.files(old, lane)
        comparison.marts(f"{story.name}, {lane.folder.name}", old, lane, is_last=True)


def _written_at(lane: Lane) -> int | None:
    return lane.served.stat().st_mtime_ns if lane.served.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="make compare", description=__doc__)
    parser.add_argument("base", help="commit to compare with")
    parser.add_argument("--story", choices=[story.name for story in STORIES])
    parser.add_argument(
        "--allow", type=Path, default=WANTED, help="file of wanted differences: pattern  # reason"
    )
    parser.add_argument("--keep", type=Path, help="folder in which everything is left")
    options = parser.parse_args()
    comparison = Comparison(Allowed.read(options.allow))
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.keep or Path(scratch)).resolve()
        with checked_out(options.base, Path(scratch) / "base") as base:
            for story in STORIES:
                if options.story in (None, story.name):
                    print(f"{story.name}: {options.base} beside {REPOSITORY}", flush=True)
                    compare(story, base, folder / story.name, comparison)
    for pattern, reason in comparison.allowed.reasons.items():
        count = comparison.allowed.matched.get(pattern, 0)
        print(f"Allowed, {count} times: {pattern} ({reason})")
    print(
        f"{comparison.rows:,} rows compared, {comparison.differing_rows} rows differ, "
        f"{comparison.differing_words} lines of words differ."
    )
    raise SystemExit(not comparison.is_equal)


if __name__ == "__main__":
    main()
