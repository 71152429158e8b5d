"""What may be believed at once: each rule is one function of what is claimed, what was known, and
what sisters say. They ask nothing and store nothing; the settings are their thresholds."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from sources.doubts import Doubt
from sources.rules import Rule, whole


@configspec
class DoubtSettings(BaseConfiguration):
    """`[doubts]`: from when on a night is not believed at once.

    Attributes:
        lost_people: People who may be gone from a list in one night without events of leaving.
        lost_people_percent: Of a list; both are to be exceeded.
        short_day_percent: A day has to have so many of the people whom its sisters name.
        short_day_people: So many may be missing whatever their share.
        lost_rows_percent: Rows that days or periods which were read before may lose together.
        lost_money_percent: The same of cost.
        stalled_days: Without anything newer, beyond what is usual.
    """

    lost_people: int = 5
    lost_people_percent: int = 10
    short_day_percent: int = 50
    short_day_people: int = 2
    lost_rows_percent: int = 40
    lost_money_percent: int = 25
    stalled_days: int = 7


RULES: Mapping[str, Rule] = {
    "lost_people": whole(0, 1_000_000),
    "lost_people_percent": whole(0, 100),
    "short_day_percent": whole(0, 100),
    "short_day_people": whole(0, 1_000_000),
    "lost_rows_percent": whole(0, 100),
    "lost_money_percent": whole(0, 100),
    "stalled_days": whole(1),
}
LEAST_EVENTS = 5
"""So many may be missing from days of the feed whatever their share."""
LEAVING = ("org_user_deleted", "org_user_left", "account_deleted", "scim_user_deleted")
"""Types of events that say that somebody left (reference: Compliance API, section 5)."""


@dataclass(frozen=True, kw_only=True)
class ListClaim:
    """A list as it was known and as it came now: what tells its rows apart, and the person whom
    each is about (None: it is about none)."""

    name: str
    known: Mapping[str, str | None]
    claimed: Mapping[str, str | None]

    @property
    def gone(self) -> set[str]:
        return self.known.keys() - self.claimed.keys()

    def lost(self, explained: Collection[str]) -> int:
        """Rows that are gone though their person is not known to have left, and that no other row
        of the same person took the place of: who moves to another group is not lost."""
        new = Counter(self.claimed[key] for key in self.claimed.keys() - self.known.keys())
        lost = Counter(self.known[key] for key in self.gone) - new
        return sum(count for person, count in lost.items() if person not in explained)

    @property
    def left(self) -> str:
        """How many of those that were known."""
        return f"{self.name}: {len(self.known) - len(self.gone)} of {len(self.known)} are left"


def half_a_roster(
    lists: Sequence[ListClaim],
    left: Collection[str],
    seats: int | None,
    settings: DoubtSettings,
) -> tuple[Doubt | None, set[str]]:
    """A list that lost many rows at once, of people of whom no event and no other list says that
    they left; `seats` is how many the vendor's own count has.

    A list that lost every row is an answer that somebody has to confirm: an outage answers like
    that every night, and no later night makes it true. One that had few keeps them anyway. So does
    a list of members that the vendor's own count contradicts, until that count has fallen too.

    The doubt, and the lists that it is about. The first one is that of the members.
    """
    members, *others = lists
    doubted: dict[str, str] = {}
    claims: dict[str, int] = {}

    def is_much(count: int, of: int) -> bool:
        return count > settings.lost_people and count * 100 > of * settings.lost_people_percent

    lost = members.lost(left)
    short_of_seats = 0 if seats is None else seats - len(members.claimed)
    was_short = 0 if seats is None else seats - len(members.known)
    contradicts = (
        seats is not None
        and bool(members.known)
        and is_much(short_of_seats, seats)
        and not is_much(was_short, seats)
        and lost > 0
    )
    if is_much(lost, len(members.known)) or contradicts:
        claims[members.name] = lost
        doubted[members.name] = (
            f"{members.left}, and no event tells of {lost} of those who are gone"
            + (f"; the vendor counts {seats} seats" if seats is not None else "")
        )
        gone_too: set[str | None] = {*left}
    else:
        gone_too = {*left, *members.gone}
    for each in others:
        count = each.lost({person for person in gone_too if person is not None})
        if is_much(count, len(each.known)):
            claims[each.name] = count
            doubted[each.name] = each.left
    if not doubted:
        return None, set()
    has_emptied = any(not each.claimed for each in lists if each.name in doubted)
    if has_emptied:
        ends = ".\nA list without a single row counts only once somebody says so."
    elif contradicts:
        ends = (
            ";\nit counts once the vendor's own count of seats has fallen too, or somebody says so."
        )
    else:
        ends = ";\nif that says the same, it counts."
    sentence = (
        "The roster lost many at once. "
        + ". ".join(doubted.values())
        + ".\nWhat was known of these lists stays, nobody counts as removed, and they are read "
        "again the next night" + ends
    )
    claim = " ".join(f"{name}={count}" for name, count in claims.items())
    return (
        Doubt(
            what="roster",
            rule="half_a_roster",
            outcome="kept apart",
            sentence=sentence,
            claim=claim,
            confirms_itself=not (has_emptied or contradicts),
        ),
        set(doubted),
    )


def is_no_more(claim: str, before: str) -> bool:
    """Of claims that count by name: the same names, and hardly more than was said before."""
    now, then = _counts(claim), _counts(before)
    return now.keys() <= then.keys() and all(
        count <= max(then[name] + 5, then[name] * Decimal("1.1")) for name, count in now.items()
    )


def _counts(claim: str) -> dict[str, Decimal]:
    return {name: Decimal(count) for name, count in re.findall(r"(\S+)=(-?[\d.]+)", claim)}


@dataclass(frozen=True, kw_only=True)
class DayClaim:
    """A day as it was known and as it came now.

    Attributes:
        known, claimed: Rows, or cents of cost; `known` is None of a day never read before.
        sisters: How many people other answers name on that day; None: none does.
    """

    endpoint: str
    day: date
    known: Decimal | None
    claimed: Decimal
    sisters: int | None = None

    @property
    def lost(self) -> Decimal:
        return max((self.known or Decimal(0)) - self.claimed, Decimal(0))


def short_days(claims: Iterable[DayClaim], settings: DoubtSettings) -> list[DayClaim]:
    """Days of people on which far fewer are active than another answer about the same people
    names. An empty day without such a contradiction is a holiday."""
    return [
        claim
        for claim in claims
        if claim.sisters is not None
        and claim.sisters - claim.claimed > settings.short_day_people
        and claim.claimed * 100 < claim.sisters * settings.short_day_percent
    ]


def vanished(claims: Sequence[DayClaim], percent: int, least: Decimal) -> list[DayClaim]:
    """Days of one endpoint that lost much of what they had, if together that is too much, and so
    are the new ones that came empty with them. A single day may be corrected by any amount."""
    known = sum((claim.known or Decimal(0) for claim in claims), Decimal(0))
    shrunk = [claim for claim in claims if claim.lost > 0]
    lost = sum((claim.lost for claim in shrunk), Decimal(0))
    if len(shrunk) < 2 or lost < least or lost * 100 < known * percent:
        return []
    return [*shrunk, *(claim for claim in claims if claim.known is None and not claim.claimed)]


def shrunk_feed(
    what: str, days: Sequence[date], known: int, came: int, settings: DoubtSettings
) -> Doubt | None:
    """A part of the feed that came without much of what it had. What happened cannot be undone:
    nothing is taken away, and what the answer lacks beside it may be missing too."""
    lost = known - came
    if lost <= LEAST_EVENTS or lost * 100 < known * settings.lost_rows_percent:
        return None
    return Doubt(
        what=what,
        rule="shrunk_feed",
        outcome="kept apart",
        claim="events that were read before do not come any more",
        sentence=(
            f"The activity feed came with {came:,} of {known:,} events that it had, "
            f"{spans(days)}.\nThose that were read stay and count; these days are asked for again "
            "every night until they are whole,\nbecause newer events may be missing as well; if a "
            "later day says the same, they count as read."
        ),
        confirms_itself=True,
    )


def stalled(
    what: str, newest: date | None, expected: date, settings: DoubtSettings
) -> Doubt | None:
    """A vendor that has had nothing newer for long: nothing is wrong with what is stored, and
    nobody would notice that it grows old."""
    if newest is None or (expected - newest).days <= settings.stalled_days:
        return None
    return Doubt(
        what=what.partition(" ")[0],
        rule="stalled",
        outcome="said",
        claim=str(newest),
        sentence=(
            f"{what} ends at {newest}, {(expected - newest).days} days before it usually would.\n"
            "What is stored stays; later days are missing until the vendor has them. If it stays, "
            "ask the vendor."
        ),
    )


@dataclass
class DoubtedDays:
    """Days that are doubted under one name, by endpoint; of several answers of one run."""

    days: dict[str, set[date]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, endpoint: str, days: Iterable[date], reason: str) -> None:
        self.days.setdefault(endpoint, set()).update(days)
        self.reasons.setdefault(endpoint, reason)

    def doubt(self, what: str, rule: str) -> Doubt:
        told = ". ".join(
            f"{endpoint}, {spans(days)}: {self.reasons[endpoint]}"
            for endpoint, days in self.days.items()
        )
        count = len({day for days in self.days.values() for day in days})
        return Doubt(
            what=what,
            rule=rule,
            outcome="kept apart",
            claim=f"days={count}",
            sentence=(
                f"{told}.\nWhat was known of these days stays, days that were not known stay "
                "missing, and nothing is concluded from them;\nthey are asked for again every "
                "night until they are whole."
            ),
        )


def spans(days: Iterable[date]) -> str:
    """`2026-01-05 to 2026-01-09, 2026-01-12`."""
    found: list[list[date]] = []
    for day in sorted(days):
        if found and (day - found[-1][-1]).days == 1:
            found[-1] = [found[-1][0], day]
        else:
            found.append([day])
    shown = [" to ".join(str(day) for day in span) for span in found]
    return ", ".join(shown if len(shown) < 6 else [*shown[:4], f"{len(shown) - 4} more"])
