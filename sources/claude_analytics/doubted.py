"""Which fetched days are not believed at once, beside what is stored and what their sisters say."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import dlt
import pyarrow.compute as pc

from sources.claude_analytics.endpoints import EVERY_ENDPOINT, Endpoint
from sources.claude_analytics.fetch import FetchedDay
from sources.doubts import Doubts
from sources.ledger import (
    COMPLETE,
    COUNTS,
    counting_rows,
    known_tables,
    moment_text,
    of_organization,
    stored,
)
from sources.plausibility import (
    DayClaim,
    DoubtedDays,
    DoubtSettings,
    is_no_more,
    short_days,
    vanished,
)

LEAST_ROWS, LEAST_CENTS = Decimal(5), Decimal(100)
"""Days that lost less than that together are not worth a doubt."""
GROUPS = {"engagement": "use", "money": "cost"}
"""Kind of an endpoint -> what `accept` calls its days; those of people are `people`."""


class Judge:
    """Believes fetched days, or keeps them apart; one for each run."""

    def __init__(
        self,
        pipeline: dlt.Pipeline,
        doubts: Doubts,
        limits: DoubtSettings,
        now: datetime,
        owned_since: date,
        organization: str | None = None,
        name: str = "",
    ) -> None:
        """`organization`: whose days; None: the first one's. `name`: what doubts call it."""
        self._organization, self._suffix = organization, f".{name}" if name else ""
        self._now = now
        self._pipeline, self._doubts, self._limits = pipeline, doubts, limits
        self._owned_since = owned_since
        self._known_rows: dict[str, dict[date, Decimal]] = {}
        self._known_since: date | None = None
        self._judged: set[str] = set()
        self._doubted: dict[str, DoubtedDays] = {}
        self.kept_apart: dict[str, set[date]] = {}
        """Endpoint -> days that are stored and do not count."""

    def ask_again(self, endpoints: Sequence[Endpoint]) -> None:
        """Forget what was doubted of them: those days are fetched once more in this run."""
        for endpoint in endpoints:
            self.kept_apart.pop(endpoint.table, None)
            for what, found in [*self._doubted.items()]:
                found.days.pop(endpoint.table, None)
                if not found.days:
                    del self._doubted[what]

    def end(self) -> None:
        """What was judged and found fine is not doubted any more."""
        for what in self._judged - self._doubted.keys():
            self._doubts.none(what)

    def apart(
        self, endpoint: Endpoint, days: Sequence[FetchedDay], named: Mapping[date, int]
    ) -> set[date]:
        """Those of an endpoint's fetched days that are not believed."""
        if not days:
            return set()
        what = "people" if endpoint.decides_access else GROUPS[endpoint.kind]
        what += self._suffix
        self._judged.add(what)
        rows, cents = self._claims(endpoint, days, named)
        limits, found = self._limits, self._doubted.get(what, DoubtedDays())
        are_totals_doubted = endpoint.totals in found.days
        if short := short_days(rows, limits):
            most = max(short, key=lambda claim: claim.sisters or 0)
            reason = (
                f"far fewer people than other answers name on the same days ({most.claimed} and "
                f"{most.sisters} on {most.day})"
            )
            found.add(endpoint.table, (claim.day for claim in short), reason)
        if gone := vanished(cents, limits.lost_money_percent, LEAST_CENTS):
            known, claimed = _sums(gone)
            reason = f"cost of {claimed / 100:,.2f} USD, which was {known / 100:,.2f}"
            found.add(endpoint.table, (claim.day for claim in gone), reason)
        if gone := vanished(rows, limits.lost_rows_percent, LEAST_ROWS):
            known, claimed = _sums(gone)
            reason = f"{claimed:,} rows, which were {known:,}"
            found.add(endpoint.table, (claim.day for claim in gone), reason)
        less = [claim for claim in (*rows, *cents) if claim.lost or not claim.claimed]
        if less and are_totals_doubted:
            reason = f"less than there was, beside totals ({endpoint.totals}) that are not believed"
            found.add(endpoint.table, (claim.day for claim in less), reason)
        if older := self._older(endpoint, days):
            found.add(endpoint.table, (day.day for day in days), older)
        if endpoint.table not in found.days:
            return set()
        self._doubted[what] = found
        if self._doubts.allows(found.doubt(what, "short_or_vanished"), is_no_more):
            self._doubted.pop(what)
            return set()
        apart = found.days[endpoint.table]
        self.kept_apart.setdefault(endpoint.table, set()).update(apart)
        return apart

    def _older(self, endpoint: Endpoint, days: Sequence[FetchedDay]) -> str | None:
        """Why this is an earlier state of the data than one that was read before.

        A state that lies ahead of the API's own time tells nothing: a server's clock was ahead.
        """
        claimed = min(
            (day.data_refreshed_at for day in days if day.data_refreshed_at), default=None
        )
        if claimed is None or min(day.day for day in days) < self._owned_since:
            return None
        [row] = stored(
            self._pipeline,
            f"""
            select max(data_refreshed_at) as newest from loaded_days
            where endpoint = '{endpoint.table}' and {COMPLETE}
                and {of_organization(self._organization)}
                and fetched_at <= {moment_text(self._now)}
                and data_refreshed_at <= {moment_text(self._now)}
            """,
        ) or [{"newest": None}]
        newest = row["newest"]
        if newest is None or claimed >= newest:
            return None
        return (
            f"the data ends at {claimed:%Y-%m-%d %H:%M} UTC, and an earlier night had it to "
            f"{newest.astimezone(UTC):%Y-%m-%d %H:%M}"
        )

    def _known(self, endpoint: Endpoint, days: Sequence[date]) -> dict[date, Decimal]:
        """How many rows of these days counted when the run began; asked for of all at once."""
        if days and (self._known_since is None or min(days) < self._known_since):
            self._known_since = min(days)
            self._known_rows = known_rows(self._pipeline, self._known_since, self._organization)
        known = self._known_rows.get(endpoint.table, {})
        return {day: known[day] for day in days if day in known}

    def _claims(
        self, endpoint: Endpoint, days: Sequence[FetchedDay], named: Mapping[date, int]
    ) -> tuple[list[DayClaim], list[DayClaim]]:
        """The days by their rows, and by their cents of cost where the endpoint brings any."""
        owned = [day for day in days if day.day >= self._owned_since]
        asked = [day.day for day in owned]
        known = self._known(endpoint, asked)
        amounts = known_cents(self._pipeline, endpoint, known, self._organization)
        sisters = people_named(self._pipeline, asked) if endpoint.decides_access else {}
        rows = [
            DayClaim(
                endpoint=endpoint.table,
                day=day.day,
                known=known.get(day.day),
                claimed=Decimal(day.row_count + len(day.rejected)),
                sisters=max(named.get(day.day, 0), sisters.get(day.day, 0))
                if endpoint.decides_access
                else None,
            )
            for day in owned
        ]
        cents = [
            DayClaim(
                endpoint=endpoint.table,
                day=day.day,
                known=amounts.get(day.day),
                claimed=Decimal(pc.sum(day.rows()[endpoint.measure]).as_py() or 0),
            )
            for day in owned
            if endpoint.measure
        ]
        return rows, cents


def known_rows(
    pipeline: dlt.Pipeline, since: date, organization: str | None = None
) -> dict[str, dict[date, Decimal]]:
    """How many rows count of each endpoint's days from that one on."""
    rows = stored(
        pipeline,
        f"""
        select endpoint, activity_date, row_count from (
            select
                endpoint, activity_date, row_count,
                row_number() over (
                    partition by endpoint, activity_date order by fetch_number desc
                ) as fetches_since
            from loaded_days
            where activity_date >= date '{since}' and {of_organization(organization)} and {COUNTS}
        ) as fetches
        where fetches_since = 1
        """,
    )
    found: dict[str, dict[date, Decimal]] = {}
    for row in rows:
        found.setdefault(row["endpoint"], {})[row["activity_date"]] = Decimal(row["row_count"])
    return found


def known_cents(
    pipeline: dlt.Pipeline,
    endpoint: Endpoint,
    known: Mapping[date, Decimal],
    organization: str | None = None,
) -> dict[date, Decimal]:
    """The cost of these known days, in cents, where the endpoint brings any."""
    if not endpoint.measure or not known:
        return {}
    between = f"between date '{min(known)}' and date '{max(known)}'"
    amounts = stored(
        pipeline,
        f"select activity_date, sum({endpoint.measure}) as amount"
        f" from {counting_rows(endpoint.table, organization)} where activity_date {between}"
        " group by activity_date",
    )
    found = {row["activity_date"]: Decimal(row["amount"] or 0) for row in amounts}
    return {day: found.get(day, Decimal(0)) for day in known}


def people_named(pipeline: dlt.Pipeline, days: Sequence[date]) -> dict[date, int]:
    """How many people the stored answers of other endpoints name on these days, at least.

    Where any of them counts people of a day, what they count decides: some who spent are in no
    count of use, so that a quiet day can have cost of several people.
    """
    if not days:
        return {}
    known = known_tables(pipeline)
    asked = [
        f"select activity_date, {counted} from {counting_rows(endpoint.table)}"
        f" where activity_date between date '{min(days)}' and date '{max(days)}'"
        " group by activity_date"
        for endpoint in {each.table: each for each in EVERY_ENDPOINT}.values()
        if endpoint.table in known and not endpoint.decides_access
        for counted in _counted(endpoint)
    ]
    if not asked:
        return {}
    rows: list[dict[str, Any]] = stored(
        pipeline,
        "select activity_date, coalesce(max(used), max(spent)) as people from"
        f" ({' union all '.join(asked)}) as each group by activity_date",
    )
    return {row["activity_date"]: int(row["people"] or 0) for row in rows}


def _counted(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.person:
        yield f"cast(null as bigint) as used, count(distinct {endpoint.person}) as spent"
    elif endpoint.people_count:
        yield f"max({endpoint.people_count}) as used, cast(null as bigint) as spent"


def _sums(claims: Sequence[DayClaim]) -> tuple[Decimal, Decimal]:
    known = sum((claim.known or Decimal(0) for claim in claims), Decimal(0))
    return known, sum((claim.claimed for claim in claims), Decimal(0))
