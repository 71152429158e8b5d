"""One reason is told once, on the screen and by status, whatever it met."""

from pipelines.exit_codes import DONE, FAILED
from pipelines.reading.said_once import said_once
from sources.sandbox import Sandbox
from tests.conftest import Command


def test_messages_that_differ_in_names_only_are_one() -> None:
    first = (
        "The key may not read it (403 for {}).\nWhy.\n{} was read before, so this refusal is ours."
    )
    names = ["users", "skills", "costs", "usage", "plugins"]

    assert said_once(["Other.", *(first.format(name, name) for name in names[:2]), "Other."]) == [
        "Other.",
        "The key may not read it (403 for users and skills).\n"
        "Why.\nusers and skills were read before, so this is ours.",
    ]
    [many] = said_once(first.format(name, name) for name in names)
    assert "(403 for users, skills, costs and 2 more)" in many
    assert said_once(["A.", "B."]) == ["A.", "B."]


def test_endpoints_that_are_refused_alike_are_told_in_one_sentence(
    api: Sandbox, command: Command
) -> None:
    words = "--only users --only skills --only plugins --no-transform"
    assert command(f"sync --today 2026-01-08 {words}").exit_code == DONE
    for path in ("/skills", "/plugins"):
        api.answer(path, status=403, times=1_000)

    ended = command(f"sync --today 2026-01-09 {words}")
    status = command("status --today 2026-01-09").out

    assert ended.exit_code == FAILED
    for told in (ended.err, status):
        assert told.count("(403 for ") == 1
        assert "were read before, so this is a failure of this run" in told
    assert "\n    " in status.partition("(403 for ")[2].partition("Freshness")[0]
