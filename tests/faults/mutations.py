"""Bodies of answers that are changed at random, as JSON or byte by byte.

No row of a list is added or taken away, and no answer loses both of what tells that there is more,
which nobody could tell.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

Container = dict[str, Any] | list[Any]
Place = tuple[Container, Any]

STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 5, 7.5, 1e308, -0.0, 10**30, "", " ", "0", "-3", "1e5", "NaN",
    "Infinity", "12,5", "text", "2026-02-30", "2026-01-05", "2026-01-05T00:00:00Z",
    "9999-12-31T23:59:59Z", "\u0000", "\ud800", "=1+1", "ﬁ", "x" * 5_000, [], {}, [None], {"a": {}},
    [[[[]]]], "null", "page_again",
)  # fmt: skip


STRANGE_BYTES = (b"\x00", b'"', b"{", b"]", b"\xff", b",", b"\\")


def places(node: Any) -> list[Place]:
    """Every place of the document that holds a value."""
    found: list[Place] = []
    todo = [node]
    while todo:
        each = todo.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each))
        for key in keys:
            found.append((each, key))
            if isinstance(each[key], dict | list):
                todo.append(each[key])
    return found


def in_an_object(found: list[Place]) -> list[tuple[dict[str, Any], str]]:
    return [(parent, key) for parent, key in found if isinstance(parent, dict)]


def other_for(random: Random, value: Any) -> Any:
    """Something strange; for a list no other list, which would have other rows."""
    other = deepcopy(random.choice(STRANGE))
    return None if isinstance(value, list) and isinstance(other, list) else other


def of_value(random: Random, document: Any) -> None:
    parent, key = random.choice(in_an_object(places(document)))
    parent[key] = other_for(random, parent[key])


def of_number(random: Random, document: Any) -> None:
    numbers = [
        (parent, key)
        for parent, key in places(document)
        if isinstance(parent[key], int | float) and not isinstance(parent[key], bool)
    ]
    if not numbers:
        return of_value(random, document)
    parent, key = random.choice(numbers)
    parent[key] = random.choice(
        [str(parent[key]), -parent[key] - 1, parent[key] + 0.5, [parent[key]]]
    )


def without_key(random: Random, document: Any) -> None:
    parent, key = random.choice(in_an_object(places(document)))
    del parent[key]


def renamed(random: Random, document: Any) -> None:
    parent, key = random.choice(in_an_object(places(document)))
    parent[random.choice([key.upper(), f"{key}s", f"{key}__x", "", "new field", "a'b\"c"])] = (
        parent.pop(key)
    )


def added(random: Random, document: Any) -> None:
    parent, _ = random.choice(in_an_object(places(document)))
    name = random.choice(["new_field", "id", "type", "has_more", "by_ana@example.com"])
    parent[name] = other_for(random, parent.get(name))


def wrapped(random: Random, document: Any) -> None:
    parent, key = random.choice(in_an_object(places(document)))
    ways = [{"value": parent[key]}, json.dumps(parent[key])]
    parent[key] = random.choice(ways if isinstance(parent[key], list) else [*ways, [parent[key]]])


def swapped(random: Random, document: Any) -> None:
    values = [
        each for each in in_an_object(places(document)) if not isinstance(each[0][each[1]], list)
    ]
    (one, key), (other, name) = random.choices(values, k=2)
    one[key], other[name] = other[name], one[key]


OF_JSON: tuple[Callable[[Random, Any], None], ...] = (
    of_value, of_value, of_number, without_key, renamed, added, wrapped, swapped,
)  # fmt: skip


def of_bytes(random: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(random.choice([1, 1, 3, 20])):
        place = random.randrange(len(changed))
        match random.randrange(4):
            case 0:
                changed[place] = random.randrange(256)
            case 1:
                changed[place] ^= 1 << random.randrange(8)
            case 2:
                del changed[place : place + random.choice([1, 1, 50])]
            case _:
                changed[place:place] = random.choice(
                    [b"\x00", b'"', b"{", b"]", b"\xff", b",", b"\\"]
                )
        if not changed:
            return b""
    return bytes(changed)


def mutated(random: Random, body: bytes) -> bytes:
    """The body with one to three changes of its structure, or of its bytes."""
    try:
        document = json.loads(body)
    except ValueError:
        return of_bytes(random, body) if body else b"\x00"
    if not isinstance(document, dict) or random.random() < 0.2:
        return of_bytes(random, body)
    more = document.get("next_page")
    for _ in range(random.choice([1, 1, 2, 3])):
        try:
            random.choice(OF_JSON)(random, document)
        except (IndexError, KeyError, ValueError, RecursionError):
            continue  # What it would have changed is gone, or around itself.
    if document.get("next_page", "") is None and document.get("has_more") is None and more:
        document["next_page"] = more  # The last page, it would say, and nothing else tells.
    try:
        return json.dumps(document).encode(errors="surrogatepass")
    except (ValueError, RecursionError):
        return b"{}"
