"""Pages and the cursors that lead from one to the next (analytics.md 4, admin.md 1.5)."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal

LARGEST_PAGE = 1000

Row = TypeVar("Row")


def page_size(params: Mapping[str, str], *, usual: int, most: int = LARGEST_PAGE) -> int:
    text = params.get("limit", str(usual))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise Refusal(400, f"limit: must be between 1 and {most}.")
    return int(text)


def cursor(call: Call, offset: int, export: str = "") -> str:
    """The opaque token that continues this query, of this export of the data, after `offset`."""
    query = json.dumps([call.path, sorted(pair for pair in call.query if pair[0] != "page")])
    token = json.dumps([hashlib.sha256(query.encode()).hexdigest()[:16], offset, export])
    return "page_" + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


def page_offset(call: Call, export: str = "") -> int:
    """Where the page that is asked for starts; a cursor belongs to its query and export."""
    page = call.params.get("page")
    if page is None:
        return 0
    text = page.removeprefix("page_")
    try:
        token = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        offset, origin = int(token[1]), str(token[2])
    except (ValueError, TypeError, IndexError, KeyError):
        raise Refusal(400, "page: invalid cursor") from None
    if page != cursor(call, offset, origin):
        raise Refusal(400, "cursor does not match current query parameters")
    if origin != export:
        raise Refusal(410)
    return offset


def page_of(
    call: Call, rows: Sequence[Row], size: int, export: str = ""
) -> tuple[Sequence[Row], str | None]:
    """The rows of the page that is asked for, and the cursor of the one after it."""
    offset = page_offset(call, export)
    end = offset + size
    return rows[offset:end], cursor(call, end, export) if end < len(rows) else None
