"""Every way in which an answer can be spoilt, and what must come of it: one table."""

import gzip
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.proxy import Answer, Asked, Change
from tests.faults.world import GROUPS, Group

PAGED = ("days of people", "other days", "cost", "totals", "roster", "feed")
"""Groups whose answers lead from page to page."""
BY_ID = ("roster", "feed")
"""Of these, those that are asked for what comes after an id."""
MONEY = ("cost", "totals")
HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the network."
DEEP = 200_000

AGAIN_WORDS = "nothing; the request is sent again, after a pause that grows"

Document = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What comes of a spoilt answer.

    Attributes:
        exit_code: Of the run that met it.
        says: A part of what it prints; empty if it need not say anything.
        is_mended: By this run; otherwise its day stays open, and the next run mends it.
    """

    exit_code: int = 0
    says: str = ""
    is_mended: bool = True


AGAIN = Outcome()
"""Asked again in the same run, and all is as if nothing had happened."""


def stopped(says: str) -> Outcome:
    return Outcome(exit_code=1, says=says, is_mended=False)


def unavailable(table: str) -> Outcome:
    return Outcome(says=f"Unavailable: {table}", is_mended=False)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to spoil answers.

    Attributes:
        happens, sees, does: Columns of the table in docs/failures.md.
        times: How often one request is answered so; None: always.
        attempts: Answers of its kind in a row after which a run gives up.
        spares, any_of_them: See Spoiling.
        outcomes: Of groups for which it is another one than `outcome`, by name, or by name and
            phase.
        groups: Where it can happen.
    """

    happens: str
    change: Callable[[Group], Change]
    sees: str = AGAIN_WORDS
    does: str = "nothing"
    times: int | None = 1
    attempts: int = 7
    spares: int = 0
    any_of_them: bool = False
    outcome: Outcome = AGAIN
    outcomes: Mapping[str | tuple[str, str], Outcome] = field(default_factory=dict)
    groups: Collection[str] = tuple(group.name for group in GROUPS)

    def outcome_of(self, group: Group, phase: str) -> Outcome:
        of_group = self.outcomes.get(group.name, self.outcome)
        return self.outcomes.get((group.name, phase), of_group)


def always(change: Change) -> Callable[[Group], Change]:
    return lambda group: change


def with_status(
    status: int, body: bytes | None = None, **headers: str
) -> Callable[[Group], Change]:
    error = {"type": "error", "error": {"type": "api_error", "message": "Spoilt on purpose"}}
    content = json.dumps(error).encode() if body is None else body

    def change(asked: Asked, answer: Answer) -> Answer:
        spoilt = replace(answer, status=status, body=content)
        kind = "application/json" if body is None else "text/html"
        return spoilt.with_headers(content_type=kind, **headers)

    return always(change)


def with_body(change: Callable[[bytes], bytes]) -> Callable[[Group], Change]:
    return always(lambda asked, answer: answer.with_body(change(answer.body)))


def with_document(
    change: Callable[[Group, Document, Asked], object],
) -> Callable[[Group], Change]:
    """The answer's JSON, changed in place or replaced by what is returned."""

    def of_group(group: Group) -> Change:
        def spoil(asked: Asked, answer: Answer) -> Answer:
            document = json.loads(answer.body)
            changed = change(group, document, asked)
            return answer.with_body(json.dumps(document if changed is None else changed).encode())

        return spoil

    return of_group


def not_text(body: bytes) -> bytes:
    return body.replace(b'"', b'"\xff', 1)


def half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def cut(asked: Asked, answer: Answer) -> Answer:
    return replace(answer, sends=len(answer.body) // 2)


def cut_in_a_chunk(asked: Asked, answer: Answer) -> Answer:
    return replace(answer, sends=len(answer.body) // 2, is_chunked=True)


def no_answer(asked: Asked, answer: Answer) -> Answer:
    return replace(answer, hangs_up=True)


def not_gzip(asked: Asked, answer: Answer) -> Answer:
    return answer.with_headers(content_encoding="gzip")


def half_gzip(asked: Asked, answer: Answer) -> Answer:
    packed = gzip.compress(answer.body)
    return answer.with_headers(content_encoding="gzip").with_body(packed[: len(packed) // 2])


def more_without_a_place(group: Group, document: Document, _: Asked) -> None:
    document["has_more"] = True
    for name in ("next_page", "last_id"):
        document.pop(name, None)


def nothing_of_more(group: Group, document: Document, _: Asked) -> None:
    for name in ("has_more", "next_page", "last_id"):
        document.pop(name, None)


def empty_cursor(group: Group, document: Document, _: Asked) -> None:
    document["has_more"] = True
    document["last_id" if group.name in BY_ID else "next_page"] = ""


def cursor_that_repeats(group: Group, document: Document, asked: Asked) -> None:
    """From the second page on."""
    parameter, cursor = ("page", "next_page")
    if group.name in BY_ID:
        parameter, cursor = ("after_id", "last_id")
    if before := asked.param(parameter):
        document.update({"has_more": True, cursor: before})


def more_in_words(group: Group, document: Document, _: Asked) -> None:
    """Whether there is more is no yes and no no."""
    document["has_more"] = "false"


def cursor_is_a_number(group: Group, document: Document, _: Asked) -> None:
    document.update({"has_more": True, "last_id" if group.name in BY_ID else "next_page": 7})


def list_of(asked: Asked) -> object:
    """What is asked for, whichever of its pages."""
    return asked.path, tuple(pair for pair in asked.params if pair[0] not in ("page", "after_id"))


def cursor_that_goes_back(group: Group) -> Change:
    """The last page leads to the second one."""
    second: dict[object, str] = {}
    name, cursor = ("after_id", "last_id") if group.name in BY_ID else ("page", "next_page")

    def spoil(asked: Asked, answer: Answer) -> Answer:
        document = json.loads(answer.body)
        if asked.param(name) is None:
            second[list_of(asked)] = document.get(cursor) or ""
        elif not document.get("has_more"):
            # Where the first page was spared, back to this one.
            back = second.get(list_of(asked)) or asked.param(name)
            document.update({"has_more": True, cursor: back})
        return answer.with_body(json.dumps(document).encode())

    return spoil


def no_more_but_a_place(group: Group, document: Document, _: Asked) -> None:
    document.update(has_more=False, next_page=document.get("next_page") or "page_more")


def without_list(group: Group, document: Document, _: Asked) -> None:
    del document[group.list_key]


def list_is_null(group: Group, document: Document, _: Asked) -> None:
    document[group.list_key] = None


def list_is_an_object(group: Group, document: Document, _: Asked) -> None:
    document[group.list_key] = {"rows": document[group.list_key]}


def first_page_again(group: Group) -> Change:
    """Every later page brings what the first one brought."""
    first: dict[object, object] = {}

    def spoil(asked: Asked, answer: Answer) -> Answer:
        document = json.loads(answer.body)
        rows = document[group.list_key]
        if asked.param("page") or asked.param("after_id"):
            document[group.list_key] = first.setdefault(list_of(asked), rows)
        else:
            first[list_of(asked)] = rows
        return answer.with_body(json.dumps(document).encode())

    return spoil


def in_euros(group: Group, document: Document, _: Asked) -> object:
    return json.loads(json.dumps(document).replace('"USD"', '"EUR"'))


LOOK = "nothing for one night; if it stays, check the address, the network and the API's status"
NOT_STORED = "Nothing of these days was stored"
SEVEN = "`… 7 times in a row at most`, exit code 1; what else there is is loaded"
THREE = "`…, 3 times in a row. Nobody can tell from that whether everything is there`, exit code 1"

PAUSE = "`… asks not to be called again before …`, exit code 1, at once; other sources are loaded"
REFUSED = (
    "`Unavailable: …`, exit code 0, its marts stay empty; exit code 1 where it is needed, or was "
    "read before"
)
FIRST_REFUSED: Mapping[str | tuple[str, str], Outcome] = {
    (name, "first"): unavailable(table)
    for name, table in {
        "other days": "skills", "summaries": "summaries", "cost": "costs",
        "totals": "cost_totals", "roster": "members", "feed": "activities",
    }.items()
}  # fmt: skip
"""Where nothing was ever read of it, the organisation does not have it."""

FAULTS: Mapping[str, Fault] = {
    # Once: asked again.
    "500": Fault(happens="The API fails for a moment (500)", change=with_status(500)),
    "502": Fault(happens="A gateway answers with a page (502)", change=with_status(502, HTML)),
    "503": Fault(
        happens="The API asks for a short pause (503, `retry-after`)",
        change=with_status(503, retry_after="0"),
        sees="nothing; the pause is kept, or the run's own where that is longer",
    ),
    "529": Fault(happens="The API is overloaded (529)", change=with_status(529)),
    "408": Fault(happens="The request took too long (408)", change=with_status(408)),
    "409": Fault(happens="The API is in conflict with itself (409)", change=with_status(409)),
    "429": Fault(
        happens="Too many requests (429, `retry-after`)",
        change=with_status(429, retry_after="0"),
        sees="nothing; the pause is kept, or the run's own where that is longer",
    ),
    "429, a date": Fault(
        happens="Too many requests (429, `retry-after` as a date)",
        change=with_status(429, retry_after="Fri, 09 Jan 2026 00:00:00 GMT"),
        sees="nothing; the pause is kept, or the run's own where that is longer",
    ),
    "503, soon": Fault(
        happens="The API asks for a pause that is no number and no date (503)",
        change=with_status(503, retry_after="soon"),
    ),
    "no answer": Fault(happens="The connection ends before an answer", change=always(no_answer)),
    "cut": Fault(happens="The connection ends in the middle of an answer", change=always(cut)),
    "cut in a chunk": Fault(
        happens="It does, and how long the answer is was not said", change=always(cut_in_a_chunk)
    ),
    "empty": Fault(happens="An answer without content", change=with_body(lambda _: b"")),
    "half": Fault(happens="Half of the JSON, as if it was whole", change=with_body(half)),
    "twice": Fault(happens="Two answers in one", change=with_body(lambda body: body + body)),
    "page": Fault(happens="A web page instead of JSON", change=with_status(200, HTML)),
    "not UTF-8": Fault(
        happens="Bytes that are no text",
        change=with_body(not_text),
    ),
    "not gzip": Fault(happens="Not packed, though it says so", change=always(not_gzip)),
    "half gzip": Fault(happens="A packed answer, cut short", change=always(half_gzip)),
    # Of some APIs they are answers without a list, of others none that is complete.
    "null": Fault(happens="`null`", change=with_body(lambda _: b"null"), attempts=3),
    "list": Fault(
        happens="A list instead of an answer with a list",
        change=with_body(lambda _: b"[]"),
        attempts=3,
    ),
    "deep": Fault(
        happens="200,000 brackets, one in the other",
        change=with_body(lambda _: b"[" * DEEP + b"]" * DEEP),
    ),
    "more, not where": Fault(
        happens="There is more, and the answer does not say where",
        groups=PAGED,
        change=with_document(more_without_a_place),
        attempts=3,
    ),
    "nothing of more": Fault(
        happens="The answer does not say whether there is more",
        groups=PAGED,
        change=with_document(nothing_of_more),
        attempts=3,
    ),
    "empty cursor": Fault(
        happens="There is more, at an empty place",
        groups=PAGED,
        change=with_document(empty_cursor),
        attempts=3,
    ),
    "more, in words": Fault(
        happens="Whether there is more is said by a text",
        groups=PAGED,
        change=with_document(more_in_words),
        attempts=3,
    ),
    "cursor is a number": Fault(
        happens="There is more, at a place that is a number",
        groups=PAGED,
        change=with_document(cursor_is_a_number),
        attempts=3,
    ),
    "no more, but where": Fault(
        happens="There is no more, and the answer says where it is",
        groups=[name for name in PAGED if name not in BY_ID],
        change=with_document(no_more_but_a_place),
        attempts=3,
    ),
    "cursor repeats": Fault(
        happens="A page that leads to itself",
        groups=PAGED,
        spares=1,
        change=with_document(cursor_that_repeats),
        attempts=3,
    ),
    "without list": Fault(
        happens="An answer without its list", change=with_document(without_list), attempts=3
    ),
    "list is null": Fault(
        happens="`null` where the list should be", change=with_document(list_is_null), attempts=3
    ),
    "list is an object": Fault(
        happens="An object where the list should be",
        change=with_document(list_is_an_object),
        attempts=3,
    ),
    "cursor expired": Fault(
        happens="The data was refreshed between two pages (410)",
        change=with_status(410),
        spares=1,
        groups=[name for name in PAGED if name != "feed"],
        sees="nothing; the pages are read from the first one again",
    ),
    # Always: the run says so, stores nothing of it, and the next one asks again.
    "always 500": Fault(
        happens="The API fails for longer (500)",
        change=with_status(500),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("the API answers 500"),
    ),
    "always cut": Fault(
        happens="Each connection ends too early",
        change=always(cut),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("the connection was lost"),
    ),
    "always without an answer": Fault(
        happens="Each connection ends before an answer",
        change=always(no_answer),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("the connection was lost"),
    ),
    "always half": Fault(
        happens="Each answer is half of the JSON",
        change=with_body(half),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("the answer is not complete JSON"),
    ),
    "always empty": Fault(
        happens="Each answer is without content",
        change=with_body(lambda _: b""),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("the answer is not complete JSON"),
    ),
    "always deep": Fault(
        happens="Each answer is nothing but brackets",
        times=None,
        change=with_body(lambda _: b"[" * DEEP + b"]" * DEEP),
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("the answer is not complete JSON"),
    ),
    "a day's pause (503)": Fault(
        happens="The API asks for a pause of a day (503)",
        times=None,
        change=with_status(503, retry_after="86400"),
        sees=PAUSE,
        does="run again then",
        outcome=stopped("asks not to be called again before"),
    ),
    "a day's pause (429)": Fault(
        happens="The limit of the day is used up (429)",
        times=None,
        change=with_status(429, retry_after="86400"),
        sees=PAUSE,
        does="run again then",
        outcome=stopped("asks not to be called again before"),
    ),
    "400": Fault(
        happens="The API does not take the request (400)",
        change=with_status(400),
        times=None,
        sees="`The API refuses the request (400 …)` with its words, exit code 1",
        does="what its words say",
        outcome=stopped("refuses the request (400"),
    ),
    "401": Fault(
        happens="The key was revoked (401)",
        change=with_status(401),
        times=None,
        sees="`The API does not accept the key`, exit code 1; other sources are loaded",
        does="create a key, set it as the message says",
        outcome=stopped("does not accept the key"),
    ),
    "402": Fault(
        happens="A bill of the organisation is open (402)",
        change=with_status(402),
        times=None,
        sees="`An account or billing problem of the organisation`, exit code 1",
        does="tell the organisation's owner",
        outcome=stopped("billing problem"),
    ),
    "403": Fault(
        happens="The key may not read this (403)",
        change=with_status(403),
        times=None,
        sees=REFUSED,
        does="give the key the scope that the message names",
        outcome=stopped("refuses the request (403"),
        outcomes=FIRST_REFUSED,
    ),
    "404": Fault(
        happens="The organisation does not have this (404)",
        change=with_status(404),
        times=None,
        sees=REFUSED,
        does="check the plan; if it had it before, wait or ask the vendor",
        outcome=stopped("refuses the request (404"),
        outcomes=FIRST_REFUSED,
    ),
    "always expired": Fault(
        happens="The data is refreshed again and again (410)",
        change=with_status(410),
        times=None,
        sees="`The data was refreshed while its pages were read`, exit code 1",
        does="run it later",
        outcome=stopped("The data was refreshed while its pages were read"),
    ),
    "302": Fault(
        happens="The address sends on to another host (302)",
        times=None,
        change=with_status(302, b"", location="https://login.example.com/sso"),
        sees="`… sends on to … , which is not followed`, exit code 1",
        does="correct `base_url`, or let the network's sign-in page through",
        outcome=stopped("sends on to login.example.com"),
    ),
    "204": Fault(
        happens="The API has no content to give (204)",
        change=with_status(204, b""),
        times=None,
        sees="`The API refuses the request (204 …)`, exit code 1",
        does="check `base_url`",
        outcome=stopped("refuses the request (204"),
    ),
    "always a page": Fault(
        happens="Each answer is a web page",
        change=with_status(200, HTML),
        times=None,
        sees="`… answers with a web page, not JSON`, exit code 1",
        does="check `base_url` and the network's sign-in page",
        outcome=stopped("answers with a web page, not JSON"),
    ),
    "always more, not where": Fault(
        happens="There is always more, and no answer says where",
        times=None,
        groups=PAGED,
        change=with_document(more_without_a_place),
        sees=THREE,
        does=LOOK,
        outcome=stopped("there is more, and not where"),
    ),
    "always the same cursor": Fault(
        happens="The pages lead in a circle",
        times=None,
        groups=PAGED,
        any_of_them=True,
        change=with_document(cursor_that_repeats),
        sees=THREE,
        does=LOOK,
        outcome=stopped("the same page cursor twice"),
    ),
    "always back": Fault(
        happens="The last page leads back to the second",
        times=None,
        groups=PAGED,
        any_of_them=True,
        change=cursor_that_goes_back,
        sees=THREE,
        does=LOOK,
        outcome=stopped("the same page cursor twice"),
    ),
    "always the first page": Fault(
        happens="Each page brings the rows of the first",
        times=None,
        groups=PAGED,
        any_of_them=True,
        change=first_page_again,
        sees=THREE,
        does=LOOK,
        outcome=stopped("the rows of an earlier page once more"),
    ),
    "always without list": Fault(
        happens="No answer has its list",
        change=with_document(without_list),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("times in a row"),
    ),
    "always a null list": Fault(
        happens="Each list is `null`",
        change=with_document(list_is_null),
        times=None,
        sees=SEVEN,
        does=LOOK,
        outcome=stopped("times in a row"),
    ),
    "euros": Fault(
        happens="An amount is not in US dollars",
        change=with_document(in_euros),
        times=None,
        groups=MONEY,
        sees="`… amounts are in EUR, not in USD`, exit code 1; the day is not stored",
        does="report it: other currencies are not supported",
        outcome=stopped("EUR"),
    ),
}

ONCE = [name for name, fault in FAULTS.items() if fault.times is not None]
ALWAYS = [name for name, fault in FAULTS.items() if fault.times is None]


def in_turn(changes: Iterable[Change]) -> Change:
    """Each answer gets the next of them."""
    waiting = iter(changes)
    return lambda asked, answer: next(waiting)(asked, answer)
