"""What a night claimed and is not believed yet: one table, one way to confirm it.

A rule compares what arrived with what was known, and says what is strange about it as a `Doubt`.
Whoever would store it asks first::

    doubt = Doubt(
        what="roster",                       # what `claude-warehouse accept` is told
        rule="half_a_roster",
        outcome="kept apart",                # or "refused", or "said"
        sentence="The member list has 8 of 20 people, and …\\nWhat was known stays …",
        claim="retires 12",                  # the same text is the same claim, on another night
        confirms_itself=True,                # a second night that says the same is enough
    )
    if session.doubts.allows(doubt):
        ...                                  # store it: it was confirmed
    else:
        ...                                  # keep what was known

and `session.doubts.none(what)` where nothing is strange (any more). Nothing else has to be done:
what is open is stored at the end of the run and stands first in `status`, chat and report, with
the command that confirms it. Sentences go to chats: they name no person.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Outcome = Literal["kept apart", "refused", "said"]
State = Literal["open", "accepted", "taken", "over"]
"""Doubted; confirmed by a person, and not claimed again since; it counts; no longer claimed."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something that a night claims and that contradicts what was known.

    Attributes:
        what: What `accept` is told: one word, the same every night.
        rule: The rule that doubts it.
        sentence: What is strange, what becomes of it, and what to do; names no person.
        claim: What is claimed, in short: what is alike was claimed before.
        confirms_itself: A claim like it on a later day is enough.
    """

    what: str
    rule: str
    outcome: Outcome
    sentence: str
    claim: str
    confirms_itself: bool = False

    @property
    def text(self) -> str:
        """What somebody should read of it, with the command that confirms it."""
        if self.outcome == "said":
            return self.sentence
        return f"{self.sentence}\nIf it is true: claude-warehouse accept {self.what}"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the table has of a doubt: one row for each change of one.

    Attributes:
        number: Counted under the warehouse's lock; the highest of a `what` counts.
        since: When it was claimed first.
        said_at: When this was noted.
    """

    number: int
    doubt: Doubt
    state: State
    since: datetime
    said_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state in ("open", "accepted")

    @property
    def text(self) -> str:
        """What somebody should read of it, and do about it."""
        if self.state == "accepted":
            return f"{self.doubt.sentence}\nIt is accepted: the next sync takes it."
        return self.doubt.text


Alike = Callable[[str, str], bool]
"""Whether a claim, given first, says no more than one that was accepted, or said before."""


def is_same(claim: str, before: str) -> bool:
    """To the letter."""
    return claim == before


class Doubts:
    """The doubts of one warehouse, in one run. `now` is the run's clock."""

    def __init__(self, known: Mapping[str, Known], now: datetime) -> None:
        self._known, self._now = dict(known), now
        self._number = max((each.number for each in known.values()), default=0)
        self._allowed: list[Doubt] = []
        self._said: list[Known] = []
        self.new: list[Known] = []
        """What changed in this run, oldest first."""

    @property
    def open(self) -> list[Known]:
        """What is doubted now, oldest first, then what was only said in this run."""
        found = [each for each in self._known.values() if each.is_open]
        return [*sorted(found, key=lambda each: each.number), *self._said]

    @property
    def taken(self) -> list[str]:
        """What counts from this run on, and was doubted before."""
        return [
            f"Believed from tonight on ({each.doubt.what}), because "
            + ("a later day said the same. " if each.doubt.confirms_itself else "it was accepted. ")
            + each.doubt.sentence.splitlines()[0]
            for each in self.new
            if each.state == "taken"
        ]

    def allows(self, doubt: Doubt, alike: Alike = is_same) -> bool:
        """Whether it counts all the same: somebody confirmed it, or a second night says so too."""
        if any(
            doubt.what == each.what and alike(doubt.claim, each.claim) for each in self._allowed
        ):
            return True  # Asked once more in this run, for a sister.
        if doubt.outcome == "said":
            self._said.append(self._next(doubt, "open", self._now))
            return True
        before = self._known.get(doubt.what)
        if before is None or not before.is_open or not alike(doubt.claim, before.doubt.claim):
            since = before.since if before and before.is_open else self._now
            self._keep(self._next(doubt, "open", since))
            return False
        is_later_day = before.said_at.date() < self._now.date()
        if before.state == "accepted" or (doubt.confirms_itself and is_later_day):
            self._keep(self._next(doubt, "taken", before.since))
            self._allowed.append(doubt)
            return True
        if doubt.claim != before.doubt.claim:
            # Said anew, with the day that it is said since: the next night is compared with it.
            self._keep(replace(self._next(doubt, "open", before.since), said_at=before.said_at))
        return False

    def text(self, what: str) -> str:
        """What somebody should read of it."""
        return self._known[what].text

    def none(self, what: str) -> None:
        """Nothing about it is doubted in this run."""
        before = self._known.get(what)
        if before and before.is_open:
            self._change(before, "over")

    def accept(self, what: str) -> Known:
        """Confirm what is open; it counts when it is claimed again.

        Raises:
            KeyError: Nothing of this name is doubted.
        """
        before = self._known[what]
        if not before.is_open:
            raise KeyError(what)
        if before.state == "open":
            self._change(before, "accepted")
        return self._known[what]

    def _change(self, before: Known, state: State) -> None:
        self._keep(self._next(before.doubt, state, before.since))

    def _next(self, doubt: Doubt, state: State, since: datetime) -> Known:
        self._number += 1
        return Known(number=self._number, doubt=doubt, state=state, since=since, said_at=self._now)

    def _keep(self, known: Known) -> None:
        self._known[known.doubt.what] = known
        self.new.append(known)
