"""Questions that page, chat and `status` ask several times of the same published marts."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from pipelines.warehouse.base import Reading

Answer = TypeVar("Answer")


def asked_once(ask: Callable[[Reading], Answer]) -> Callable[[Reading], Answer]:
    """`ask`, which looks once into each publication: it does not change while it is read."""
    known: WeakKeyDictionary[Reading, Answer] = WeakKeyDictionary()

    @wraps(ask)
    def answer(served: Reading) -> Answer:
        if served not in known:
            known[served] = ask(served)
        return known[served]

    return answer
