"""One way to read pages, for every source: to their end, or not at all."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from sources.errors import Expired, NotWhole
from sources.http.refusal import Refusal

RESTARTS = 5
"""How often pages are read from the first one, because their data was refreshed meanwhile."""
MOST_PAGES = 10_000
LONGEST_CURSOR = 32_000
"""Bytes that a cursor may take in an address; longer ones no client can send."""

Answer = TypeVar("Answer")
Page = TypeVar("Page")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Paging:
    """How an answer says where the page after it is.

    Attributes:
        cursor: Its field that leads there.
        parameter: The parameter that takes it.
        cursor_means_more: The last page has none. Where pages are asked for by the ids of their
            rows, the last one has an id too, and only `has_more` ends them, or an empty page.
    """

    cursor: str
    parameter: str
    cursor_means_more: bool


BY_CURSOR = Paging("next_page", "page", cursor_means_more=True)
BY_ID = Paging("last_id", "after_id", cursor_means_more=False)


class Pages:
    """The pages of one question so far; an answer that contradicts itself or them is refused."""

    def __init__(self, paging: Paging) -> None:
        self._paging = paging
        self._cursor: str | None = None
        self._cursors: set[str] = set()
        self._rows: set[str] = set()
        self._count = 0
        self.is_at_end = False

    @property
    def params(self) -> dict[str, str]:
        """What asks for the next page, beside what asked for the first."""
        return {self._paging.parameter: self._cursor} if self._cursor else {}

    def turn(self, answer: Mapping[str, Any], rows: Callable[[], str | bytes]) -> None:
        """Go on to the page after this answer, whose `rows` are as text (nothing if it has none).

        Raises:
            NotWhole: It cannot be told whether, or where, there is more.
        """
        field = self._paging.cursor
        if not {field, "has_more"} & answer.keys():
            raise NotWhole(f"the answer does not say whether there is more ({field})")
        cursor, has_more = answer.get(field), answer.get("has_more")
        if has_more is not None and not isinstance(has_more, bool):
            raise NotWhole("has_more is neither true nor false")
        if cursor is not None and not _is_text(cursor):
            raise NotWhole(f"{field} is no cursor")
        is_more = cursor is not None if has_more is None else has_more
        if is_more and cursor is None:
            raise NotWhole(f"the answer says that there is more, and not where ({field})")
        if not is_more and cursor is not None and self._paging.cursor_means_more:
            raise NotWhole(f"the answer says that there is no more, and where it is ({field})")
        if is_more and cursor in self._cursors:
            raise NotWhole("the API gave the same page cursor twice, so its pages would never end")
        if is_more and self._count >= MOST_PAGES:
            raise NotWhole(f"the pages do not end after {MOST_PAGES} of them")
        text = rows() if is_more or self._count else ""
        digest = hashlib.blake2b(text.encode() if isinstance(text, str) else text).hexdigest()
        if text and digest in self._rows:
            raise NotWhole("the API gave the rows of an earlier page once more")
        if text:
            self._rows.add(digest)
        self._count += 1
        self.is_at_end = not is_more
        self._cursor = cursor if is_more else None
        if self._cursor:
            self._cursors.add(self._cursor)

    def lost(self, refusal: Refusal) -> Expired | None:
        """An error if the cursor is what was refused: without it, the question was answered."""
        is_lost = refusal.status == 410 or (refusal.status == 400 and self._cursor is not None)
        return Expired(refusal.text_of_cursor) if is_lost else None


def _is_text(value: Any) -> bool:
    """Text that can be sent: JSON can hold half of a character, which no address can, and more
    text than fits into one."""
    try:
        return isinstance(value, str) and 0 < len(quote(value)) <= LONGEST_CURSOR
    except UnicodeEncodeError:
        return False


def read_pages(paging: Paging, ask: Callable[[Pages], Page]) -> Iterator[Page]:
    """Every page; `ask` asks for the one that is next, and turns it."""
    pages = Pages(paging)
    while not pages.is_at_end:
        yield ask(pages)


def begun_anew(read: Callable[[], Answer]) -> Answer:
    """What `read` brings, which begins with page one; again, where its pages expired meanwhile.

    Raises:
        Expired: They did so each time.
    """
    for _ in range(RESTARTS - 1):
        try:
            return read()
        except Expired as error:
            log.info("Begun anew with page one: %s", error)
    return read()
